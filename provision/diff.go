package provision

import (
	"maps"
	"slices"
	"time"

	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/source"
)

// typeOf is the resource type of a kind.
func typeOf(k source.Kind) string {
	if k == source.Group {
		return "Group"
	}
	return "User"
}

// Decide says what is to be done about one object, its memberships aside. It is pure: the same item, mapping result,
// rules and time give the same change. An object without a link is never disabled or deleted, an object whose mapping
// failed is left as it is, and an object is gone only if the mirror says so.
func Decide(it *Item, w Wanted, rules Rules, now time.Time) Change {
	ch := Change{Verb: Nothing, Kind: it.Kind, Key: it.Key, Title: title(it, w), Reason: w.Reason, hidden: w.Redacted}
	toggles := rules.Users
	if it.Kind == source.Group {
		toggles = rules.Groups
	}
	if it.Link != nil {
		ch.Target, ch.state, ch.doc = it.Link.Target, it.Link.State, it.Link.Doc
	}
	switch {
	case it.Record == nil:
		ch.Reason = "it is gone from the source"
		leave(&ch, it, rules.Leave, rules.Leave.Deleted, toggles, now)
	case w.Err != nil:
		ch.Error, ch.Reason = w.Err.Error(), "its mapping failed, so it is left as it is"
	case w.Resource == nil && w.Unassigned:
		leave(&ch, it, rules.Leave, rules.Leave.Unassigned, toggles, now)
	case w.Resource == nil:
		leave(&ch, it, rules.Leave, rules.Leave.Filtered, toggles, now)
	case it.Link == nil:
		create(&ch, w, rules, toggles)
	default:
		update(&ch, it, w, toggles)
	}
	return ch
}

func create(ch *Change, w Wanted, rules Rules, t Toggles) {
	ch.doc = document(w.Resource)
	switch {
	case t.NoCreate:
		ch.Reason = "creating is switched off"
		return
	case rules.SkipDisabled && ch.doc["active"] == false:
		ch.Reason = "it is disabled in the source and was never provisioned"
		return
	}
	ch.Verb, ch.state = Create, Linked
	_, values := compare(nil, ch.doc)
	ch.show(values)
}

func update(ch *Change, it *Item, w Wanted, t Toggles) {
	have, want := it.Link.Doc, document(w.Resource)
	for _, path := range w.CreateOnly {
		want = set(want, path, get(have, path))
	}
	for _, path := range w.Keep {
		if get(want, path) == nil {
			want = set(want, path, get(have, path))
		}
	}
	back := it.Link.State == Disabled
	if _, mapped := want["active"]; back && it.Kind == source.Person && !mapped {
		want = set(want, "active", true)
	}
	ops, values := compare(have, want)
	switch {
	case back:
		ch.Verb, ch.Reason = Enable, "it is in scope again: "+w.Reason
	case len(ops) == 0:
		ch.Reason = "the target has it as it is in the source"
		return
	case it.Kind == source.Person && have["active"] != false && want["active"] == false:
		ch.Verb, ch.Reason, ch.removal = Disable, "it was disabled in the source", true
	case it.Kind == source.Person && have["active"] == false && want["active"] != false:
		ch.Verb, ch.Reason = Enable, "it was enabled in the source"
	default:
		ch.Verb, ch.Reason = Update, it.Reason
	}
	if t.NoUpdate && ch.Verb == Update || t.NoDisable && ch.Verb == Disable {
		ch.Verb, ch.Reason, ch.removal = Nothing, "this change is switched off", false
		return
	}
	ch.doc, ch.ops, ch.state = want, ops, Linked
	ch.show(values)
}

// leave decides about an object that is out of scope or gone.
func leave(ch *Change, it *Item, l Leave, action string, t Toggles, now time.Time) {
	switch {
	case it.Link == nil:
		return
	case action == LeaveKeep:
		ch.Reason += "; the channel keeps such objects"
		return
	case it.Link.State == Disabled:
		if action == LeaveDelete && !it.Link.Expires.IsZero() && !now.Before(it.Link.Expires) {
			ch.Verb, ch.removal = Delete, true
			ch.Reason += ", and its retention has ended"
		}
		return
	case t.NoDisable:
		ch.Reason += "; disabling is switched off"
		return
	}
	ch.Verb, ch.state, ch.removal = Disable, Disabled, true
	if it.Kind == source.Group {
		return // its members are taken out, see decideMembers
	}
	want := set(it.Link.Doc, "active", false)
	ch.doc = want
	ops, values := compare(it.Link.Doc, want)
	ch.ops = ops
	ch.show(values)
	ch.removal = len(ch.ops) > 0
}

// expiry is when an object that is disabled now is deleted; zero for never.
func (r *Rules) expiry(it *Item, w Wanted, now time.Time) time.Time {
	action := r.Leave.Filtered
	switch {
	case it.Record == nil:
		action = r.Leave.Deleted
	case w.Unassigned:
		action = r.Leave.Unassigned
	}
	if action != LeaveDelete {
		return time.Time{}
	}
	retention := time.Duration(r.Leave.Retention)
	if retention == 0 {
		retention = DefaultRetention
	}
	return now.Add(retention)
}

// Membership is what deciding about the members of a group takes. All lists hold keys.
type Membership struct {
	Want []string        // members that the source has and the target can have
	Have []string        // members that the ledger holds
	Open map[string]bool // members of a request whose outcome is not known
}

// decideMembers says who is to be added and removed. Whoever the ledger does not hold is never removed, save those
// whose request was cut off.
func decideMembers(m Membership) (add, remove []string) {
	want, have := map[string]bool{}, map[string]bool{}
	for _, k := range m.Want {
		want[k] = true
	}
	for _, k := range m.Have {
		have[k] = true
	}
	for k := range want {
		if !have[k] || m.Open[k] {
			add = append(add, k)
		}
	}
	for k := range m.Open {
		have[k] = true
	}
	for k := range have {
		if !want[k] {
			remove = append(remove, k)
		}
	}
	slices.Sort(add)
	slices.Sort(remove)
	return add, remove
}

// title is a name for people: what the object is called at the target, or in the source.
func title(it *Item, w Wanted) string {
	docs := []scim.Object{}
	if w.Resource != nil {
		docs = append(docs, w.Resource.Attrs)
	}
	if it.Link != nil {
		docs = append(docs, it.Link.Doc)
	}
	for _, doc := range docs {
		for _, name := range []string{"userName", "displayName"} {
			if s, ok := doc[name].(string); ok && s != "" {
				return s
			}
		}
	}
	if it.Record != nil {
		return it.Record.Name
	}
	return it.Key
}

// withRefs fills the targets of references into what is wanted. One whose object is not at the target yet waits: its
// attribute is left out.
func withRefs(w Wanted, links map[string]Link) Wanted {
	if w.Resource == nil || len(w.Refs) == 0 {
		return w
	}
	r := *w.Resource
	r.Attrs = maps.Clone(r.Attrs)
	for path, key := range w.Refs {
		if l, ok := links[key]; ok {
			r.Attrs = set(r.Attrs, path, l.Target)
		}
	}
	w.Resource = &r
	return w
}
