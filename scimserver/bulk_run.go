package scimserver

import (
	"errors"
	"net/http"

	"github.com/provost-scim/provost/directory"
	"github.com/provost-scim/provost/scim"
)

// maxAttempts bounds how often a bulk request starts over because an operation failed after others had relied
// on it.
const maxAttempts = 8

// errAgain rolls an attempt back.
var errAgain = errors.New("an operation failed after others relied on it")

// run carries the operations out. References are resolved in any order and in circles: the first pass creates
// what is new, leaving out references to what is not there yet; the second completes those resources.
//
// If a resource cannot be completed, its creation must not stay: the transaction is rolled back and done again
// without that operation and without those that refer to it.
func (b *bulkJob) run() error {
	for range maxAttempts {
		err := b.dir.Tx(b.ctx(), b.attempt)
		if !errors.Is(err, errAgain) {
			return err
		}
	}
	return &statusError{status: http.StatusConflict, detail: "The references between the operations cannot be resolved; nothing was changed."}
}

// attempt is one transaction. It may run more than once, so it begins with a clean slate.
func (b *bulkJob) attempt(d *directory.Directory) error {
	b.result = make([]bulkResult, 0, len(b.ops))
	b.later, b.left = nil, map[int]bool{}
	failures := 0
	for i := range b.ops {
		if b.most > 0 && failures >= b.most {
			break
		}
		b.result = append(b.result, bulkResult{id: b.knownID(b.ops[i].id)})
		err := b.first(d, i)
		if err != nil {
			if wireError(err).status >= 500 {
				return err
			}
			b.result[i].err = err
			failures++
		}
	}
	return b.second(d)
}

// knownID is the id that an operation's path names, "" while it is a bulkId.
func (b *bulkJob) knownID(id string) string {
	if _, is := bulkRef(id); is {
		return ""
	}
	return id
}

// first does an operation, or as much of it as can be done before those behind it.
func (b *bulkJob) first(d *directory.Directory, i int) error {
	op := &b.ops[i]
	if err := b.doomed(i); err != nil {
		return err
	}
	open := false
	for _, ref := range op.refs {
		j := b.byID[ref]
		if err := b.doomed(j); err != nil {
			return failedRef(ref)
		}
		switch {
		case j < i && b.result[j].err != nil:
			return failedRef(ref)
		case j >= i || b.result[j].id == "":
			open = true
		}
	}
	if !open {
		return b.do(d, i, b.fill(op.data))
	}
	b.later = append(b.later, i)
	if op.method != http.MethodPost {
		b.left[i] = true
		return nil
	}
	return b.do(d, i, b.fill(op.data))
}

// doomed returns why an operation fails whatever happens.
func (b *bulkJob) doomed(i int) error {
	if b.ops[i].err != nil {
		return b.ops[i].err
	}
	return b.forced[i]
}

func failedRef(ref string) error {
	return &statusError{status: http.StatusConflict, detail: "The operation refers to bulkId " + scim.Quote(ref) + ", whose operation failed or was not carried out."}
}

// second completes what waited for others. A failure here takes the whole attempt back.
func (b *bulkJob) second(d *directory.Directory) error {
	again := false
	for _, i := range b.later {
		if b.result[i].err != nil {
			continue
		}
		err := b.complete(d, i)
		if err == nil {
			continue
		}
		if wireError(err).status >= 500 {
			return err
		}
		b.force(i, err)
		again = true
	}
	if again {
		return errAgain
	}
	return nil
}

func (b *bulkJob) complete(d *directory.Directory, i int) error {
	op := &b.ops[i]
	for _, ref := range op.refs {
		j := b.byID[ref]
		if j >= len(b.result) || b.result[j].err != nil || b.result[j].id == "" {
			return failedRef(ref)
		}
	}
	data := b.fill(op.data)
	if b.left[i] {
		return b.do(d, i, data)
	}
	return d.Tx(b.ctx(), func(d *directory.Directory) error {
		res, err := d.Replace(b.ctx(), b.caller, op.typ.Name, b.result[i].id, data.(scim.Object), directory.Condition{}, directory.Want{})
		if err == nil {
			b.result[i].version = res.Resource.Meta.Version
		}
		return err
	})
}

// force marks an operation as failing, and with it all that refer to it, directly or not.
func (b *bulkJob) force(i int, err error) {
	b.forced[i] = err
	users := map[string][]int{}
	for j := range b.ops {
		for _, ref := range b.ops[j].refs {
			users[ref] = append(users[ref], j)
		}
	}
	for todo := []int{i}; len(todo) > 0; {
		id := b.ops[todo[0]].bulkID
		todo = todo[1:]
		for _, j := range users[id] {
			if b.forced[j] == nil && b.ops[j].err == nil {
				b.forced[j] = failedRef(id)
				todo = append(todo, j)
			}
		}
	}
}

// do carries one operation out in a savepoint of its own.
func (b *bulkJob) do(d *directory.Directory, i int, data any) error {
	op, ctx := &b.ops[i], b.ctx()
	id := op.id
	if ref, is := bulkRef(id); is {
		id = b.result[b.byID[ref]].id
		b.result[i].id = id
	}
	return d.Tx(ctx, func(d *directory.Directory) error {
		var res directory.Result
		var err error
		status := http.StatusOK
		switch op.method {
		case http.MethodPost:
			res, err = d.Create(ctx, b.caller, op.typ.Name, data.(scim.Object))
			status = http.StatusCreated
		case http.MethodPut:
			res, err = d.Replace(ctx, b.caller, op.typ.Name, id, data.(scim.Object), op.cond, directory.Want{})
		case http.MethodPatch:
			var ops []scim.Op
			if ops, err = parsePatch(data.(scim.Object), b.caller.Strict); err != nil {
				return err
			}
			res, err = d.Patch(ctx, b.caller, op.typ.Name, id, ops, op.cond, directory.Want{})
			if b.hasMembers(op.typ) {
				status = http.StatusNoContent
			}
		case http.MethodDelete:
			status, err = http.StatusNoContent, d.Delete(ctx, b.caller, op.typ.Name, id, op.cond)
		}
		if err != nil {
			return err
		}
		b.tolerate(res.Tolerances...)
		r := &b.result[i]
		r.status, r.version = status, res.Resource.Meta.Version
		if op.method == http.MethodPost {
			r.id = res.Resource.ID
		}
		return nil
	})
}
