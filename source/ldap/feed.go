package ldap

import (
	"slices"
	"strings"

	"github.com/provost-scim/provost/source"
)

// The change feeds, from the best to none.
const (
	feedDirSync   = "dirsync"
	feedUSN       = "usn"
	feedSyncrepl  = "syncrepl"
	feedTimestamp = "timestamp"
	feedFull      = "full"
)

// MaxChanges is how many changed entries a delta may have before it is given up for a full read, which needs no
// list of them.
const MaxChanges = 200_000

// change is what a delta found beside the records that it handed over.
type change struct {
	gone    []string
	present []string // not nil: all that exists and was not handed over
	next    mark
	reason  string // what the feed could not do by itself
}

// offer is a feed that the server may have, and why it is good or why not.
type offer struct {
	feed, reason string
	ok           bool
}

// offers lists the feeds for the product in the order of preference.
func (r *reading) offers() ([]offer, error) {
	switch v := r.server; v.product {
	case activeDirectory:
		return []offer{
			{feedDirSync, "the domain controller offers DirSync", v.supports(oidDirSync)},
			{feedUSN, "the domain controller shows highestCommittedUSN and its invocation id", v.highest > 0 && v.invoked != ""},
			{feedTimestamp, "only whenChanged is left", true},
			{feedFull, "the configuration says so", true},
		}, nil
	case openLDAP:
		synced := false
		var err error
		if v.supports(oidSync) {
			synced, err = r.synced()
		}
		if err != nil {
			return nil, err
		}
		return []offer{
			{feedSyncrepl, "the server tells changes and deletions (syncprov)", synced},
			{feedTimestamp, "the suffix does not answer content sync: the syncprov overlay is missing or hidden", true},
			{feedFull, "the configuration says so", true},
		}, nil
	}
	stamped, err := r.hasStamp()
	return []offer{
		{feedTimestamp, "the server shows modifyTimestamp and no better feed is known for it", stamped},
		{feedFull, "the server shows no modifyTimestamp", true},
	}, err
}

// choose picks the best feed, or the one that the configuration names.
func (r *reading) choose() (feed, reason string, err error) {
	offers, err := r.offers()
	if err != nil {
		return "", "", err
	}
	configured := r.src.config.Feed
	if !strings.EqualFold(r.key, r.server.key()) {
		// What is deleted is named by the server's own key only.
		offers = slices.DeleteFunc(offers, func(o offer) bool { return o.feed != feedTimestamp && o.feed != feedFull })
		offers[0].reason = "the key is " + r.key + ", and deletions name only " + r.server.key()
	}
	for _, o := range offers {
		switch {
		case configured != "" && configured != "auto" && o.feed != configured:
		case o.ok:
			return o.feed, o.reason, nil
		}
	}
	return "", "", wrong("feed", "this server does not offer "+configured, "leave it out to have the best one chosen")
}

// fallBack makes a feed that an earlier read fell back to the feed of this read, if it is worse than the chosen one
// but still on offer: what was refused then need not be tried before every read.
func (r *reading) fallBack(feed string) bool {
	if r.feed == feedDirSync && feed == feedUSN && r.src.config.Feed != feedDirSync && r.server.invoked != "" {
		r.feed, r.reason = feedUSN, "DirSync was refused before"
		return true
	}
	return false
}

// mark notes the state of the feed before a read. A feed that turns out to be refused gives way to the next one.
func (r *reading) mark() (*mark, error) {
	switch r.feed {
	case feedDirSync:
		m, err := r.dirSyncMark()
		if source.FaultOf(err) == source.Refused && r.src.config.Feed != feedDirSync && r.server.invoked != "" {
			r.feed, r.reason = feedUSN, "DirSync is refused: "+err.Error()
			return r.usnMark(), nil
		}
		return m, err
	case feedUSN:
		return r.usnMark(), nil
	case feedSyncrepl:
		return r.syncMark()
	}
	return new(mark), nil
}

// delta hands over what changed since the mark.
func (r *reading) delta(since *mark) (change, error) {
	switch r.feed {
	case feedDirSync:
		return r.dirSync(since)
	case feedUSN:
		return r.usn(since)
	case feedSyncrepl:
		return r.syncrepl(since)
	}
	return r.timestamps(since)
}

// changes reads a delta and seals it.
func (r *reading) changes(c *cursor) (source.Seal, error) {
	r.emitted = map[string]bool{}
	found, err := r.delta(&c.Mark)
	if err == nil {
		err = r.primaryChanges(found)
	}
	if err != nil {
		return source.Seal{}, err
	}
	reason := r.reason
	if found.reason != "" {
		reason += "; " + found.reason
	}
	return source.Seal{Gone: r.without(found.gone), Present: found.present, Next: r.cursor(&found.next), Feed: r.feed, Reason: reason}, nil
}

// without returns the keys that were not handed over in this read.
func (r *reading) without(keys []string) []string {
	left := keys[:0]
	for _, k := range keys {
		if !r.emitted[k] {
			left = append(left, k)
		}
	}
	return left
}
