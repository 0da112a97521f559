package mapping

import (
	"fmt"
	"io"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
	"github.com/google/uuid"
)

// randomFunctions give another value every time: rows that use them are for new objects only.
func randomFunctions() []cel.EnvOption {
	all := withCalls("Guid", cel.StringType, 0, 0, func(s *surroundings, _ []ref.Val) (any, error) {
		id, err := uuid.NewRandomFromReader(s.mapping.options.Random)
		return id.String(), err
	})
	return append(all, withCalls("RandomString", cel.StringType, 5, 6, func(s *surroundings, args []ref.Val) (any, error) {
		return randomString(s.mapping.options.Random, args)
	})...)
}

// maxRandom is the most characters of a RandomString.
const maxRandom = 256

// The classes of characters in the order of RandomString's parameters: numbers, special characters, capitals, lower case.
var classes = []string{"0123456789", "'-!\"#$%&()*,./:;?@[]^_`{|}~+<=>", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"}

// randomString has at least so many characters of each class as are asked for; the rest come from the classes that are
// asked for, or from letters and numbers if none is.
func randomString(random io.Reader, args []ref.Val) (any, error) {
	length, err := asInt(args[0])
	if err != nil {
		return nil, err
	}
	if length < 1 || length > maxRandom {
		return nil, fmt.Errorf("the length is %d, it must be between 1 and %d", length, maxRandom)
	}
	avoid := ""
	if len(args) > 5 {
		avoid = asText(args[5])
	}
	var out []byte
	rest := ""
	for i, class := range classes {
		n, err := asInt(args[i+1])
		if err != nil {
			return nil, err
		}
		class = strings.Map(func(r rune) rune {
			if strings.ContainsRune(avoid, r) {
				return -1
			}
			return r
		}, class)
		if n < 0 || n > length || n > 0 && class == "" {
			return nil, fmt.Errorf("%d characters of the kind %s are not possible", n, classes[i])
		}
		for range n {
			c, err := pick(random, len(class))
			if err != nil {
				return nil, err
			}
			out = append(out, class[c])
		}
		if n > 0 {
			rest += class
		}
	}
	if int64(len(out)) > length {
		return nil, fmt.Errorf("the minima are %d characters together, the length is %d", len(out), length)
	}
	if rest == "" {
		rest = strings.Map(func(r rune) rune {
			if strings.ContainsRune(avoid, r) {
				return -1
			}
			return r
		}, classes[0]+classes[2]+classes[3])
	}
	return fillAndShuffle(random, out, rest, int(length))
}

func fillAndShuffle(random io.Reader, out []byte, rest string, length int) (any, error) {
	if len(out) < length && rest == "" {
		return nil, fmt.Errorf("all characters are to be avoided")
	}
	for len(out) < length {
		c, err := pick(random, len(rest))
		if err != nil {
			return nil, err
		}
		out = append(out, rest[c])
	}
	for i := len(out) - 1; i > 0; i-- {
		j, err := pick(random, i+1)
		if err != nil {
			return nil, err
		}
		out[i], out[j] = out[j], out[i]
	}
	return string(out), nil
}

// pick is a number from 0 to n-1, n at most 256, each as likely as the others.
func pick(random io.Reader, n int) (int, error) {
	limit := 256 - 256%n
	for {
		var b [1]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return 0, err
		}
		if int(b[0]) < limit {
			return int(b[0]) % n, nil
		}
	}
}
