package mapping

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// patterns keeps regular expressions that expressions use. It is emptied when it is full: patterns that are computed
// from data cannot fill the memory.
var patterns = struct {
	sync.Mutex
	compiled map[string]*regexp.Regexp
}{compiled: map[string]*regexp.Regexp{}}

const maxPatterns = 1000

func cachedPattern(text string) (*regexp.Regexp, error) {
	patterns.Lock()
	re := patterns.compiled[text]
	patterns.Unlock()
	if re != nil {
		return re, nil
	}
	re, err := pattern(text)
	if err != nil {
		return nil, err
	}
	patterns.Lock()
	defer patterns.Unlock()
	if len(patterns.compiled) >= maxPatterns {
		clear(patterns.compiled)
	}
	patterns.compiled[text] = re
	return re, nil
}

var plainGroup = regexp.MustCompile(`\$(\d+)`)

// groupNames writes $1 as ${1}: in .NET a reference to a number ends after the number.
func groupNames(s string) string { return plainGroup.ReplaceAllString(s, "$${$1}") }

// regexExtract is the first group of the first match, the whole match if the pattern has no groups; no value without a
// match.
func regexExtract(s string, args []ref.Val) (any, error) {
	re, err := cachedPattern(asText(args[0]))
	if err != nil {
		return nil, err
	}
	m := re.FindStringSubmatch(s)
	switch {
	case m == nil:
		return nil, nil
	case len(m) > 1:
		return m[1], nil
	}
	return m[0], nil
}

// replaceArgs are the parameters of Replace, in order.
const (
	replaceSource = iota
	replaceOld
	replacePattern
	replaceGroup
	replaceNew
	replaceFrom
	replaceTemplate
	replaceCount
)

// replace does one of five things, by which of its parameters are given.
func replace(args []ref.Val) (any, error) {
	if len(args) > replaceCount {
		return nil, fmt.Errorf("it takes %d arguments, here are %d", replaceCount, len(args))
	}
	given := func(i int) bool {
		if i >= len(args) {
			return false
		}
		_, null := args[i].(types.Null)
		return !null
	}
	text := func(i int) string {
		if i >= len(args) {
			return ""
		}
		return asText(args[i])
	}
	source := text(replaceSource)
	if given(replacePattern) && given(replaceGroup) && len(args) > replaceFrom && !given(replaceNew) {
		return fromOther(source, text(replacePattern), text(replaceGroup), text(replaceFrom))
	}
	if !given(replaceSource) {
		return nil, nil
	}
	switch {
	case given(replaceOld) && given(replaceTemplate):
		return strings.ReplaceAll(text(replaceTemplate), text(replaceOld), source), nil
	case given(replaceOld) && given(replaceNew):
		if text(replaceOld) == "" {
			return source, nil
		}
		return strings.ReplaceAll(source, text(replaceOld), text(replaceNew)), nil
	case given(replacePattern) && given(replaceGroup) && given(replaceNew):
		return replaceNamed(source, text(replacePattern), text(replaceGroup), text(replaceNew))
	case given(replacePattern) && given(replaceNew):
		re, err := cachedPattern(text(replacePattern))
		if err != nil {
			return nil, err
		}
		return re.ReplaceAllString(source, groupNames(text(replaceNew))), nil
	}
	return nil, fmt.Errorf("give oldValue or regexPattern, and replacementValue, replacementAttributeName or template")
}

// fromOther takes the value of a named group from another text if the source has no value.
func fromOther(source, expr, name, other string) (any, error) {
	if source != "" {
		return source, nil
	}
	re, i, err := namedGroup(expr, name)
	if err != nil {
		return nil, err
	}
	m := re.FindStringSubmatch(other)
	if m == nil {
		return nil, nil
	}
	return m[i], nil
}

// replaceNamed replaces what the named group matches, wherever the pattern does.
func replaceNamed(source, expr, name, with string) (any, error) {
	re, i, err := namedGroup(expr, name)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	last := 0
	for _, m := range re.FindAllStringSubmatchIndex(source, -1) {
		from, to := m[2*i], m[2*i+1]
		if from < 0 || from < last || from == to && m[0] != 0 && to == len(source) {
			continue
		}
		b.WriteString(source[last:from])
		b.WriteString(with)
		last = to
	}
	return b.String() + source[last:], nil
}

func namedGroup(expr, name string) (*regexp.Regexp, int, error) {
	re, err := cachedPattern(expr)
	if err != nil {
		return nil, 0, err
	}
	i := re.SubexpIndex(name)
	if i < 0 {
		return nil, 0, fmt.Errorf("the pattern has no group %q", name)
	}
	return re, i, nil
}
