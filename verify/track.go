package verify

import (
	"context"
	"strings"
	"time"
)

// tracked is an object that the run made and has to remove.
type tracked struct {
	path string // /Users/<id>
	name string
}

// doubt is a request that may have made an object of which no id is known.
type doubt struct {
	endpoint, attr, value string
}

// Leftover is an object of the run that is still on the server.
type Leftover struct {
	Path string `json:"path"`
	Name string `json:"name"`
	Why  string `json:"why"`
}

// sweepTime is how long removing the objects of a run may take after its end.
const sweepTime = 60 * time.Second

// track notes what a request made or removed.
func (r *run) track(c call, x *Exchange) {
	path, _, _ := strings.Cut(c.path, "?")
	path = strings.TrimRight(path, "/")
	switch c.method {
	case "POST", "PUT":
		r.trackNew(c, x, path)
	case "DELETE":
		if x.ok() {
			for i, o := range r.objects {
				if o.path == path {
					r.objects = append(r.objects[:i:i], r.objects[i+1:]...)
					break
				}
			}
		}
	}
}

func (r *run) trackNew(c call, x *Exchange, path string) {
	if strings.HasSuffix(path, "/Bulk") {
		r.trackBulk(x)
		return
	}
	if strings.HasSuffix(path, "/.search") || c.base != "" {
		return
	}
	name := sentName(c.body)
	switch {
	case c.method == "PUT" && x.Response.Status != 201:
		return
	case x.ok():
		if id := x.newID(); id != "" {
			endpoint := path
			if c.method == "PUT" || strings.Count(path, "/") > 1 { // POST to an object: what came is of its type
				endpoint = "/" + strings.SplitN(strings.TrimPrefix(path, "/"), "/", 2)[0]
			}
			r.objects = append(r.objects, tracked{pathOf(endpoint, id), name})
			return
		}
	case x.Response.Status >= 400 && x.Response.Status < 500:
		return
	}
	if name != "" { // no id, no answer, or a failure that may have come too late
		attr := "userName"
		if strings.HasPrefix(path, "/Groups") {
			attr = "displayName"
		}
		r.doubts = append(r.doubts, doubt{path, attr, name})
	}
}

// trackBulk notes the locations that a bulk answer names.
func (r *run) trackBulk(x *Exchange) {
	v, _ := x.value("Operations")
	ops, _ := v.([]any)
	for _, o := range ops {
		m, _ := lookup(o, "method")
		loc, _ := lookup(o, "location")
		t, _ := loc.(string)
		parts := strings.Split(t, "/")
		if len(parts) < 2 {
			continue
		}
		path := "/" + parts[len(parts)-2] + "/" + parts[len(parts)-1]
		switch m {
		case "POST":
			r.objects = append(r.objects, tracked{path, "made by bulk"})
		case "DELETE":
			r.track(call{method: "DELETE", path: path}, &Exchange{Response: Response{Status: 204}})
		}
	}
}

func sentName(body any) string {
	o, _ := body.(Object)
	for _, k := range []string{"userName", "displayName"} {
		if n, ok := o[k].(string); ok {
			return n
		}
	}
	return ""
}

// remove deletes what was made since the mark, newest first, so that groups go before their members.
func (r *run) remove(mark int) {
	kept := r.objects[:min(mark, len(r.objects))]
	var failed []tracked
	for i := len(r.objects) - 1; i >= mark; i-- {
		if _, ok := r.deleteNow(r.objects[i], r.o.Timeout); !ok {
			failed = append(failed, r.objects[i])
		}
	}
	r.objects = append(kept[:len(kept):len(kept)], failed...)
}

// deleteNow deletes one object outside of any case. Gone already is as good.
func (r *run) deleteNow(o tracked, limit time.Duration) (why string, ok bool) {
	s := &Session{run: r, c: &Case{Name: "clean-up"}, dialect: plain}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), limit)
	defer cancel()
	saved := r.ctx
	r.ctx = ctx
	defer func() { r.ctx = saved }()
	x := s.once(call{method: "DELETE", path: o.path})
	for try := 0; x.Response.Status == 429 && try < 5 && ctx.Err() == nil; try++ {
		wait, _ := r.throttled(x, try)
		time.Sleep(min(wait, MaxThrottle))
		x = s.once(call{method: "DELETE", path: o.path})
	}
	if x.ok() || x.Response.Status == 404 || x.Response.Status == 410 {
		return "", true
	}
	return "DELETE: " + x.describe(), false
}

// sweep removes everything that is left, also what requests of unknown outcome made, and lists what stays.
func (r *run) sweep() []Leftover {
	var left []Leftover
	if r.o.Keep {
		for _, o := range r.objects {
			left = append(left, Leftover{o.path, o.name, "kept as asked"})
		}
		return left
	}
	deadline := time.Now().Add(sweepTime)
	r.resolve()
	for i := len(r.objects) - 1; i >= 0; i-- {
		o := r.objects[i]
		rest := time.Until(deadline)
		if rest <= 0 {
			left = append(left, Leftover{o.path, o.name, "no time left to remove it"})
			continue
		}
		if why, ok := r.deleteNow(o, min(rest, r.o.Timeout)); !ok {
			left = append(left, Leftover{o.path, o.name, why})
		}
	}
	return left
}

// resolve looks for the objects whose making is in doubt.
func (r *run) resolve() {
	saved := r.ctx
	ctx, cancel := context.WithTimeout(context.WithoutCancel(saved), sweepTime/2)
	defer cancel()
	r.ctx = ctx
	defer func() { r.ctx = saved }()
	s := &Session{run: r, c: &Case{Name: "clean-up"}, dialect: plain}
	for _, d := range r.doubts {
		x := s.once(call{method: "GET", path: d.endpoint + s.query("filter", d.attr+` eq "`+d.value+`"`)})
		v, _ := x.value("Resources")
		items, _ := v.([]any)
		for _, e := range items {
			id, _ := lookup(e, "id")
			n, _ := lookup(e, d.attr)
			name, _ := n.(string)
			if t, ok := id.(string); ok && strings.EqualFold(name, d.value) { // never trust a filter with a DELETE
				r.objects = append(r.objects, tracked{pathOf(d.endpoint, t), d.value})
			}
		}
	}
	r.doubts = nil
}

// lastSegment is what follows the last slash of a URL.
func lastSegment(u string) string {
	u, _, _ = strings.Cut(u, "?")
	u = strings.TrimRight(u, "/")
	return u[strings.LastIndexByte(u, '/')+1:]
}
