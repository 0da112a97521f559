package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/provost-scim/provost/bench/rig"
)

// What a phase must reach of the ceiling, and what it aims for.
const (
	mustWrite, aimWrite = 0.45, 0.65
	mustPoint, aimPoint = 0.5, 0.7
	mustPage, aimPage   = 0.4, 0.6
)

const pageSize = 100

// phases are the phases in the order in which they run: reads first, so that they see what was filled in.
func (s *share) phases(ctx context.Context) ([]phase, error) {
	patch, err := s.update(ctx, "patch", "PATCH", patchBody)
	if err != nil {
		return nil, err
	}
	put, err := s.update(ctx, "put", "PUT", nil)
	if err != nil {
		return nil, err
	}
	create, err := s.create(ctx)
	return []phase{
		s.get(),
		s.lookup("lookup hit", "userName", "resource", func(u int) string { return fmt.Sprintf(`userName eq "%s"`, userName(u)) }),
		s.miss(),
		s.lookup("emails", "emails", "attr", func(u int) string {
			return fmt.Sprintf(`emails[type eq "work" and value eq "%s"]`, userName(u))
		}),
		s.page(),
		patch, put, create,
	}, err
}

// spread sends operation k to one of n things, seemingly at random.
func spread(k, n int) int { return int(uint64(k) * 0x9E3779B97F4A7C15 >> 33 % uint64(n)) }

// pick spreads operation k over the users.
func (s *share) pick(k int) int { return spread(k, len(s.ids)) }

func (s *share) get() phase {
	return phase{
		name: "get", must: mustPoint, aim: aimPoint, status: http.StatusOK,
		request: func(k int) (string, string, []byte) { return "GET", "/Users/" + s.ids[s.pick(k)], nil },
		check:   func(k int, a *rig.Answer) error { return contains(a, `"id":"`+s.ids[s.pick(k)]) },
		bare: func(ctx context.Context, w, k int) error {
			return s.one(ctx, w, stmt{"select " + docColumns + " from resource r where r.tenant = $1 and r.rtype = 'User' and r.id = $2",
				[]any{s.key, s.ids[s.pick(k)]}})
		},
		verify: func(context.Context) error {
			return sampled(len(s.ids), func(i int) error {
				u, err := s.user(s.ids[i])
				if err == nil && (u["userName"] != userName(i) || u["nickName"] != "Gwen") {
					err = wrong("user %d is %v", i, u)
				}
				return err
			})
		},
	}
}

// one runs a select that must find one row.
func (s *share) one(ctx context.Context, w int, q stmt) error {
	n, err := s.copy.docs(ctx, w, q, func(*doc) {})
	if err == nil && n != 1 {
		err = wrong("the bare driver found %d rows", n)
	}
	return err
}

// lookup is a filter that finds exactly one user, through the unique column or through the search index.
func (s *share) lookup(name, attr, table string, filter func(u int) string) phase {
	query := "select " + docColumns + " from resource r where r.tenant = $1 and r.rtype = 'User' and r.uniq = $2"
	if table == "attr" {
		query = "select " + docColumns + " from (select a.id from attr a where a.tenant = $1 and a.rtype = 'User' and a.path = 'emails.value'" +
			" and a.val = $2 and a.typ = 'work') a join resource r on r.tenant = $1 and r.rtype = 'User' and r.id = a.id"
	}
	return phase{
		name: name, must: mustPoint, aim: aimPoint, status: http.StatusOK,
		request: func(k int) (string, string, []byte) { return "GET", filterPath(filter(s.pick(k))), nil },
		check: func(k int, a *rig.Answer) error {
			if err := contains(a, `"userName":"`+userName(s.pick(k))); err != nil {
				return err
			}
			return contains(a, `"totalResults":1`)
		},
		bare: func(ctx context.Context, w, k int) error {
			return s.one(ctx, w, stmt{query, []any{s.key, userName(s.pick(k))}})
		},
		verify: func(context.Context) error {
			return sampled(len(s.ids), func(i int) error {
				list, err := s.list(filterPath(filter(i)))
				if err == nil && (list.TotalResults != 1 || len(list.Resources) != 1 || list.Resources[0].ID != s.ids[i]) {
					err = wrong("%s filter for user %d found %+v", attr, i, list)
				}
				return err
			})
		},
	}
}

// listed is what the checks read of a ListResponse.
type listed struct {
	TotalResults int
	NextCursor   string
	Resources    []struct{ ID, UserName string }
}

func (s *share) list(path string) (listed, error) { return s.t.list(path) }

func (t *tenant) list(path string) (listed, error) {
	var l listed
	a, err := t.call(0, http.StatusOK, "GET", path, nil)
	if err == nil {
		err = json.Unmarshal(a.Body, &l)
	}
	return l, err
}

func (s *share) miss() phase {
	absent := func(k int) string { return "nobody-" + number(k) }
	return phase{
		name: "lookup miss", must: mustPoint, aim: aimPoint, status: http.StatusOK,
		request: func(k int) (string, string, []byte) {
			return "GET", filterPath(fmt.Sprintf(`userName eq "%s"`, absent(k))), nil
		},
		check: func(_ int, a *rig.Answer) error { return contains(a, `"totalResults":0`) },
		bare: func(ctx context.Context, w, k int) error {
			n, err := s.copy.docs(ctx, w, stmt{"select " + docColumns + " from resource r where r.tenant = $1 and r.rtype = 'User' and r.uniq = $2",
				[]any{s.key, absent(k)}}, func(*doc) {})
			if err == nil && n != 0 {
				err = wrong("the bare driver found %d rows", n)
			}
			return err
		},
		verify: func(context.Context) error { return nil },
	}
}

func (s *share) page() phase {
	start := func(k int) int { return s.pick(k) % max(1, len(s.ids)/pageSize) * pageSize }
	return phase{
		name: "page of 100", must: mustPage, aim: aimPage, status: http.StatusOK,
		request: func(k int) (string, string, []byte) {
			return "GET", "/Users?count=" + strconv.Itoa(pageSize) + "&startIndex=" + strconv.Itoa(1+start(k)), nil
		},
		check: func(_ int, a *rig.Answer) error {
			if n := bytes.Count(a.Body, []byte(`"userName"`)); n != pageSize {
				return wrong("%d users on a page of %d", n, pageSize)
			}
			return nil
		},
		bare: func(ctx context.Context, w, k int) error {
			n, err := s.copy.docs(ctx, w, stmt{"select " + docColumns + " from resource r where r.tenant = $1 and r.rtype = 'User' order by r.id limit $2 + 0 offset $3",
				[]any{s.key, pageSize, start(k)}}, func(*doc) {})
			if err == nil && n != pageSize {
				err = wrong("the bare driver found %d rows", n)
			}
			return err
		},
		verify: func(context.Context) error {
			seen := map[string]bool{}
			for i := 0; i < len(s.ids); i += pageSize {
				l, err := s.list("/Users?count=" + strconv.Itoa(pageSize) + "&startIndex=" + strconv.Itoa(1+i))
				if err != nil {
					return err
				}
				for _, r := range l.Resources {
					seen[r.ID] = true
				}
			}
			if len(seen) < len(s.ids) {
				return wrong("all pages together hold %d of %d users", len(seen), len(s.ids))
			}
			return nil
		},
	}
}

// update is PATCH or PUT of one user; a nil body means the whole resource with the new title.
func (s *share) update(ctx context.Context, name, method string, body func(title string) []byte) (phase, error) {
	d, err := s.sampleUpdate(ctx, method, body)
	if err != nil {
		return phase{}, err
	}
	user := func(k int) int { return k % len(s.ids) } // two operations in flight never meet on one user
	return phase{
		name: name, must: mustWrite, aim: aimWrite, status: http.StatusOK,
		request: func(k int) (string, string, []byte) {
			return method, "/Users/" + s.ids[user(k)], updateBody(body, user(k), patchTitle(k))
		},
		check: func(k int, a *rig.Answer) error {
			raise(&s.last[user(k)], int64(k))
			return contains(a, patchTitle(k))
		},
		bare: func(ctx context.Context, w, k int) error {
			return bareUpdate(ctx, s.copy, w, s.key, &d, s.ids[user(k)], user(k))
		},
		verify: func(ctx context.Context) error {
			if err := s.verifyLog(ctx); err != nil {
				return err
			}
			return sampled(len(s.ids), func(i int) error {
				k := s.last[i].Load()
				if k == 0 {
					return nil
				}
				u, err := s.user(s.ids[i])
				if err == nil && (u["title"] != patchTitle(int(k)) || u["userName"] != userName(i)) {
					err = wrong("user %d has title %v after %s %d", i, u["title"], name, k)
				}
				return err
			})
		},
	}, nil
}

func updateBody(body func(title string) []byte, user int, title string) []byte {
	if body == nil {
		return userBody(user, title)
	}
	return body(title)
}

// sampleUpdate does one update through the API and learns from the store what it changed.
func (s *share) sampleUpdate(ctx context.Context, method string, body func(title string) []byte) (delta, error) {
	const user = 0
	before, err := takeImage(ctx, s.own, s.ids[user], user)
	if err != nil {
		return delta{}, err
	}
	title := patchTitle(int(s.serial.Add(1)))
	if _, err := s.t.call(0, http.StatusOK, method, "/Users/"+s.ids[user], updateBody(body, user, title)); err != nil {
		return delta{}, err
	}
	after, err := takeImage(ctx, s.own, s.ids[user], user)
	return takeDelta(before, after), err
}

// create adds users.
func (s *share) create(ctx context.Context) (phase, error) {
	k := int(s.serial.Add(1))
	id, err := s.t.create(0, k)
	if err != nil {
		return phase{}, err
	}
	img, err := takeImage(ctx, s.own, id, k)
	return phase{
		name: "create", must: mustWrite, aim: aimWrite, status: http.StatusCreated,
		request: func(k int) (string, string, []byte) { return "POST", "/Users", userBody(k, firstTitle) },
		check:   func(k int, a *rig.Answer) error { return contains(a, `"userName":"`+userName(k)) },
		bare:    func(ctx context.Context, w, k int) error { return bareCreate(ctx, s.copy, w, &img, k) },
		verify: func(ctx context.Context) error {
			total, err := s.t.total()
			if err != nil {
				return err
			}
			if want := s.before.total + int(s.acked.Load()); total != want {
				return wrong("%d users after the creates, want %d", total, want)
			}
			return s.verifyLog(ctx)
		},
	}, err
}

// verifyLog checks that every acknowledged write has its entry in the change log.
func (s *share) verifyLog(ctx context.Context) error {
	n, err := changes(ctx, s.own, s.key)
	if err != nil {
		return err
	}
	if want := s.before.changes + int(s.acked.Load()); n != want {
		return wrong("%d entries in the change log, want %d", n, want)
	}
	return nil
}
