package mapping

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/provost-scim/provost/scim"
)

// baseEnv is the environment without the source attributes of one expression.
var baseEnv = sync.OnceValues(func() (*cel.Env, error) { return cel.NewEnv(environment()...) })

// attributes are the source attributes of a record as an expression sees them: a map by name, in any case. A name that
// the record does not have is an empty list, or null. It is no collection to go through: it has no size and no keys.
type attributes struct {
	record *evaluation
	first  bool
}

var attributesType = types.NewObjectType("provost.Attributes", traits.IndexerType|traits.ContainerType)

func (a *attributes) Get(index ref.Val) ref.Val {
	name, ok := index.(types.String)
	if !ok {
		return types.NewErr("an attribute has a text as its name")
	}
	list := a.record.values(strings.ToLower(string(name)))
	if a.first {
		return types.DefaultTypeAdapter.NativeToValue(firstOrNull(list))
	}
	return types.NewStringList(types.DefaultTypeAdapter, list)
}

// Find implements traits.Mapper: every name is there.
func (a *attributes) Find(index ref.Val) (ref.Val, bool) { return a.Get(index), true }

func (a *attributes) Contains(index ref.Val) ref.Val {
	name, ok := index.(types.String)
	return types.Bool(ok && len(a.record.values(strings.ToLower(string(name)))) > 0)
}

func (a *attributes) Iterator() traits.Iterator {
	return types.NewStringList(types.DefaultTypeAdapter, nil).(traits.Iterable).Iterator()
}
func (a *attributes) Size() ref.Val { return types.Int(0) }

func (a *attributes) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("attributes cannot be made a %s", t)
}

func (a *attributes) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return attributesType
	}
	return types.NewErr("attributes cannot be made a %s", t.TypeName())
}
func (a *attributes) Equal(other ref.Val) ref.Val { return types.Bool(a == other) }
func (a *attributes) Type() ref.Type              { return attributesType }
func (a *attributes) Value() any                  { return a }

// surroundings carries a mapping's clock and randomness into functions.
type surroundings struct{ mapping *Mapping }

var surroundingsType = types.NewObjectType("provost.Surroundings")

func (s *surroundings) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("surroundings cannot be made a %s", t)
}

func (s *surroundings) ConvertToType(t ref.Type) ref.Val {
	return types.NewErr("surroundings cannot be made a %s", t.TypeName())
}
func (s *surroundings) Equal(other ref.Val) ref.Val { return types.Bool(s == other) }
func (s *surroundings) Type() ref.Type              { return surroundingsType }
func (s *surroundings) Value() any                  { return s }

// elements returns what is in a list.
func elements(v ref.Val) ([]ref.Val, bool) {
	l, ok := v.(traits.Lister)
	if !ok {
		return nil, false
	}
	var out []ref.Val
	for it := l.Iterator(); it.HasNext() == types.True; {
		out = append(out, it.Next())
	}
	return out, true
}

// object turns a map with text keys into an Object.
func object(v ref.Val) (scim.Object, bool) {
	m, ok := v.(traits.Mapper)
	if _, own := v.(*attributes); !ok || own {
		return nil, false
	}
	out := scim.Object{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		k := it.Next()
		name, ok := k.(types.String)
		if !ok {
			return nil, false
		}
		one, err := plain(m.Get(k))
		if err != nil {
			return nil, false
		}
		if one != nil && one != "" {
			out[string(name)] = one
		}
	}
	return out, true
}
