package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/provost-scim/provost/bench/rig"
)

// writesAtOnce bounds the writes of one slice, so that a small tenant stays small.
const writesAtOnce = 250

// operations are those that a bigger tenant must not make dearer.
func operations() []op {
	return []op{getOp, hitOp, missOp, emailsOp, pageOp, updateOp("patch", "PATCH", patchBody), updateOp("put", "PUT", nil), createOp()}
}

func (p *place) pick(k int) int { return spread(k, len(p.people.ids)) }

var getOp = op{name: "get", do: func(p *place, w, k int) error {
	id := p.people.ids[p.pick(k)]
	a, err := p.t.call(w, http.StatusOK, "GET", "/Users/"+id, nil)
	if err != nil {
		return err
	}
	return contains(&a, `"id":"`+id)
}}

// found checks the answer to a filter that user u alone fulfils.
func found(a *rig.Answer, u int) error {
	if err := contains(a, `"userName":"`+userName(u)); err != nil {
		return err
	}
	return contains(a, `"totalResults":1`)
}

var hitOp = op{name: "lookup hit", do: func(p *place, w, k int) error {
	u := p.pick(k)
	a, err := p.t.call(w, http.StatusOK, "GET", filterPath(fmt.Sprintf(`userName eq "%s"`, userName(u))), nil)
	if err != nil {
		return err
	}
	return found(&a, u)
}}

var emailsOp = op{name: "emails", do: func(p *place, w, k int) error {
	u := p.pick(k)
	a, err := p.t.call(w, http.StatusOK, "GET", filterPath(fmt.Sprintf(`emails[type eq "work" and value eq "%s"]`, userName(u))), nil)
	if err != nil {
		return err
	}
	return found(&a, u)
}}

var missOp = op{name: "lookup miss", do: func(p *place, w, k int) error {
	a, err := p.t.call(w, http.StatusOK, "GET", filterPath(fmt.Sprintf(`userName eq "nobody-%s"`, number(k))), nil)
	if err != nil {
		return err
	}
	return contains(&a, `"totalResults":0`)
}}

var pageOp = op{name: "first page", do: func(p *place, w, k int) error {
	a, err := p.t.call(w, http.StatusOK, "GET", "/Users?count="+strconv.Itoa(pageSize), nil)
	if err != nil {
		return err
	}
	return fullPage(&a)
}}

func fullPage(a *rig.Answer) error {
	if n := bytes.Count(a.Body, []byte(`"userName"`)); n != pageSize {
		return wrong("%d users on a page of %d", n, pageSize)
	}
	return nil
}

func updateOp(name, method string, body func(title string) []byte) op {
	return op{name: name, most: writesAtOnce, do: func(p *place, w, k int) error {
		u := k % len(p.people.ids) // two operations in flight never meet on one user
		a, err := p.t.call(w, http.StatusOK, method, "/Users/"+p.people.ids[u], updateBody(body, u, patchTitle(k)))
		if err != nil {
			return err
		}
		return contains(&a, patchTitle(k))
	}, after: func(p *place, s sample) error {
		u := int(p.serial.Load()) % len(p.people.ids)
		a, err := p.t.call(0, http.StatusOK, "GET", "/Users/"+p.people.ids[u], nil)
		if err != nil {
			return err
		}
		return contains(&a, patchTitle(int(p.serial.Load())))
	}}
}

// createOp creates users; after the slice they are counted and deleted.
func createOp() op {
	var mu sync.Mutex
	made := map[*place][]string{}
	return op{name: "create", most: writesAtOnce, do: func(p *place, w, k int) error {
		id, err := p.t.create(w, k)
		mu.Lock()
		made[p] = append(made[p], id)
		mu.Unlock()
		return err
	}, after: func(p *place, s sample) error {
		total, err := p.t.total()
		if err != nil {
			return err
		}
		if want := len(p.people.ids) + len(made[p]); total != want {
			return wrong("%d users after the creates, want %d", total, want)
		}
		for _, id := range made[p] {
			if _, err := p.t.call(0, http.StatusNoContent, "DELETE", "/Users/"+id, nil); err != nil {
				return err
			}
		}
		made[p] = nil
		return nil
	}}
}
