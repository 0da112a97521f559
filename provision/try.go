package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/provost-scim/provost/source"
)

// Finder is what a State offers beside Mirror to find a record by what people know of it.
type Finder interface {
	// FindRecords returns at most limit records whose key, name or one of whose values is text.
	FindRecords(ctx context.Context, channel int64, text string, limit int) ([]source.Record, error)
}

// Step is one of the six steps that an object takes.
type Step struct {
	Name   string   `json:"step"` // import, scope, match, plan, reference, export
	OK     bool     `json:"ok"`
	Result string   `json:"result"`
	Detail []string `json:"detail,omitempty"`
}

// maxFound is how many objects Try names when it does not know which one is meant.
const maxFound = 5

// Try shows what happens to one object, step by step, and with live does it. text is its key, its name in the source,
// or a value of one of its attributes. Everything else stays as it is.
func (e *Engine) Try(ctx context.Context, text string, live bool) (steps []Step, err error) {
	err = e.leased(ctx, func(ctx context.Context, l *lease) error {
		c := e.cycle(l)
		st, err := e.State.Status(ctx, e.Channel.ID)
		if err != nil {
			return err
		}
		c.n, c.early = st.Cycle, true
		t := &trial{cycle: c}
		err = t.run(ctx, text, live)
		steps = t.steps
		return err
	})
	return steps, err
}

// trial collects the steps of one Try.
type trial struct {
	*cycle
	steps []Step
}

func (t *trial) step(name string, ok bool, result string, detail ...string) {
	t.steps = append(t.steps, Step{name, ok, result, detail})
}

func (t *trial) run(ctx context.Context, text string, live bool) error {
	it, ok, err := t.imported(ctx, text)
	if err != nil || !ok {
		return err
	}
	list, err := t.wanted(ctx, []Item{it})
	if err != nil {
		return err
	}
	w := list[0]
	switch {
	case it.Record == nil:
		t.step("scope", false, "it is gone from the source")
	case w.Err != nil:
		t.step("scope", false, "the mapping failed, so it is left as it is: "+w.Err.Error())
	default:
		t.step("scope", w.Resource != nil, w.Reason)
	}
	if err := t.matched(ctx, &it, w); err != nil {
		return err
	}
	if err := t.survey(ctx, nil); err != nil {
		return err
	}
	ch := t.decide(&it, w)
	t.step("plan", ch.Held == "" && ch.Error == "", planned(ch), valueLines(ch.Values)...)
	if err := t.references(ctx, &it, w, ch); err != nil {
		return err
	}
	if !live {
		t.step("export", true, "nothing was sent; --live sends it")
		return nil
	}
	return t.exported(ctx, it)
}

func (t *trial) imported(ctx context.Context, text string) (it Item, ok bool, err error) {
	if err := t.read(ctx); err != nil {
		t.step("import", false, err.Error())
		return it, false, err
	}
	finder, can := t.State.(Finder)
	if !can {
		return it, false, errors.New("this store cannot search")
	}
	found, err := finder.FindRecords(ctx, t.Channel.ID, text, maxFound)
	if err != nil {
		return it, false, err
	}
	key := text
	switch {
	case len(found) > 1:
		var names []string
		for _, r := range found {
			names = append(names, fmt.Sprintf("%s %s (key %s)", r.Kind, r.Name, r.Key))
		}
		t.step("import", false, fmt.Sprintf("several objects of the source are called %q: name one by its key", text), names...)
		return it, false, nil
	case len(found) == 1:
		key = found[0].Key
	}
	it, err = t.State.Item(ctx, t.Channel.ID, key)
	if errors.Is(err, ErrNotFound) {
		t.step("import", false, fmt.Sprintf("the source has no object with the key, name or value %q within its base and filter", text))
		return it, false, nil
	}
	if err != nil {
		return it, false, err
	}
	var detail []string
	if it.Record != nil {
		for _, name := range slices.Sorted(maps.Keys(it.Record.Attrs)) {
			detail = append(detail, fmt.Sprintf("%s: %.200q", name, it.Record.Attrs[name]))
		}
		t.step("import", true, fmt.Sprintf("%s %s, key %s, feed %s", it.Kind, it.Record.Name, it.Key, t.pos.Feed), detail...)
		return it, true, nil
	}
	t.step("import", true, fmt.Sprintf("%s with key %s is in the ledger and gone from the source", it.Kind, it.Key))
	return it, true, nil
}

// matched says which object of the target it is.
func (t *trial) matched(ctx context.Context, it *Item, w Wanted) error {
	if it.Link != nil {
		t.step("match", true, fmt.Sprintf("the ledger links it to %s (%s, %s)", it.Link.Target, it.Link.Provenance, it.Link.State))
		return nil
	}
	if w.Resource == nil {
		t.step("match", true, "not looked for: it is not wanted and was never provisioned")
		return nil
	}
	hit, err := t.search(ctx, it, document(w.Resource), true)
	switch {
	case err != nil:
		t.step("match", false, "the target could not be asked: "+err.Error())
	case hit == nil:
		t.step("match", true, fmt.Sprintf("the target has none with its %v", t.Mapper.Matches(it.Kind)))
	case hit.ours:
		t.step("match", true, fmt.Sprintf("the target has it as %s with our externalId", hit.resource.ID))
	default:
		t.step("match", t.Channel.Spec.Rules.Existing == "adopt",
			fmt.Sprintf("the target has %s with the same %s, which the channel did not make", hit.resource.ID, hit.by))
	}
	return nil
}

// references says to whom it refers and in which groups it is.
func (t *trial) references(ctx context.Context, it *Item, w Wanted, ch Change) error {
	var lines []string
	for _, path := range slices.Sorted(maps.Keys(w.Refs)) {
		links, err := t.State.Links(ctx, t.Channel.ID, []string{w.Refs[path]})
		if err != nil {
			return err
		}
		if l, ok := links[w.Refs[path]]; ok {
			lines = append(lines, fmt.Sprintf("%s is %s", path, l.Target))
		} else {
			lines = append(lines, fmt.Sprintf("%s waits for %s, who is not at the target", path, w.Refs[path]))
		}
	}
	if it.Kind == source.Group {
		members, err := t.memberChanges(ctx, it, w, ch)
		if err != nil {
			return err
		}
		for _, m := range members {
			lines = append(lines, planned(m))
		}
	}
	groups, err := Look{t.State, t.Channel.ID}.Groups(ctx, it.Key, true)
	if err != nil {
		return err
	}
	for _, g := range groups {
		lines = append(lines, "member of "+g.Name)
	}
	result := fmt.Sprintf("%d references and groups", len(lines))
	if len(lines) == 0 {
		result = "it refers to nobody and is in no group"
	}
	t.step("reference", true, result, lines...)
	return nil
}

func (t *trial) exported(ctx context.Context, it Item) error {
	if err := t.batch(ctx, []Item{it}); err != nil {
		t.step("export", false, err.Error())
		return nil
	}
	fresh, err := t.State.Item(ctx, t.Channel.ID, it.Key)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if it.Kind == source.Group && fresh.Link != nil {
		if err := t.memberBatch(ctx, []Item{fresh}); err != nil {
			t.step("export", false, err.Error())
			return nil
		}
	}
	entries, err := t.State.Entries(ctx, t.Channel.ID, EntryQuery{Key: it.Key}, 0, 1)
	if err != nil {
		return err
	}
	if t.failed > 0 && len(entries) > 0 {
		t.step("export", false, entries[0].Error)
		return nil
	}
	result := "nothing had to be sent"
	if len(t.counts) > 0 {
		result = fmt.Sprintf("sent: %v", t.counts)
	}
	if fresh.Link != nil {
		result += "; the target has it as " + fresh.Link.Target
	}
	t.step("export", true, result)
	return nil
}

// planned is a change in words.
func planned(ch Change) string {
	text := string(ch.Verb)
	if n := len(ch.Add); n > 0 {
		text = fmt.Sprintf("add %d members", n)
		if len(ch.Remove) > 0 {
			text += fmt.Sprintf(", remove %d", len(ch.Remove))
		}
	} else if n := len(ch.Remove); n > 0 {
		text = fmt.Sprintf("remove %d members", n)
	}
	text += ": " + ch.Reason
	if ch.Held != "" {
		text += "; waits for a person: " + ch.Held
	}
	if ch.Error != "" {
		text += ": " + ch.Error
	}
	return text
}

// valueLines are values in words.
func valueLines(values []Value) []string {
	var out []string
	for _, v := range values {
		out = append(out, fmt.Sprintf("%s: %v → %v", v.Path, orNone(v.Old), orNone(v.New)))
	}
	return out
}

func orNone(v any) any {
	if v == nil {
		return "none"
	}
	return v
}
