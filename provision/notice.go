package provision

import (
	"context"
	"fmt"
)

// Notice is something that a person should know about a channel.
type Notice struct {
	Channel string `json:"channel"`
	Event   string `json:"event"` // "quarantine", "held", "failures"
	Subject string `json:"subject"`
	Text    string `json:"text"`
}

// tell sends what is new in how a channel stands: one notice when a quarantine begins, one more when its reason
// changes; one when removals begin to wait; one per cycle in which objects failed for the first time, if the channel
// asks for it. What could not be sent is tried again after the next cycle.
func (c *cycle) tell(ctx context.Context, before Status, st *Status) {
	if c.Notify == nil {
		return
	}
	send := func(n Notice) bool {
		n.Channel = c.Channel.Name
		if err := c.Notify(ctx, c.Channel.Spec.Notify, n); err != nil {
			c.Log.Warn("a notice was not sent", "channel", c.Channel.Name, "event", n.Event, "err", err)
			return false
		}
		return true
	}
	if q := st.Quarantine; q != nil && q.Told != q.Reason {
		if send(Notice{Event: "quarantine", Subject: fmt.Sprintf("Provost: channel %s is in quarantine: %s", c.Channel.Name, q.Reason),
			Text: fmt.Sprintf("%s\n\nNothing is removed because of this. The channel is tried again at %s, later each time.\nNext: provost channel show %s\n",
				q.Problem, q.Next.UTC().Format("2006-01-02 15:04:05Z"), c.Channel.Name)}) {
			q.Told = q.Reason
		}
	}
	held := c.counts[heldCount]
	st.HeldTold = before.HeldTold && held > 0
	if held > 0 && !st.HeldTold {
		st.HeldTold = send(Notice{Event: "held", Subject: fmt.Sprintf("Provost: channel %s holds %d removals", c.Channel.Name, held),
			Text: fmt.Sprintf("%s%s\n\nCreates and updates go on.\nNext: provost removals list %s\n", c.verdict.Objects, c.verdict.Memberships, c.Channel.Name)})
	}
	if c.fresh > 0 && c.Channel.Spec.Notify.Failures {
		send(Notice{Event: "failures", Subject: fmt.Sprintf("Provost: %d objects of channel %s failed", c.fresh, c.Channel.Name),
			Text: fmt.Sprintf("They are tried again, later each time.\nNext: provost log provisioning %s --status failure\n", c.Channel.Name)})
	}
}
