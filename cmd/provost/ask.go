package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// ask prints a question on err and reads a line of in.
func (t *terminal) ask(question string) (string, error) {
	fmt.Fprint(t.err, question)
	line, err := bufio.NewReader(t.in).ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || line == "") {
		fmt.Fprintln(t.err)
		return "", err
	}
	return strings.TrimSpace(line), nil
}

// span is a duration on the command line: what Go reads, and days and weeks ("90d", "2w").
type span time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *span) UnmarshalText(text []byte) error {
	in := string(text)
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(in, unit); ok {
			n, err := strconv.ParseFloat(number, 64)
			if err != nil || n < 0 || n > 36500 {
				return fmt.Errorf("%q is no duration such as 90d, 2w or 12h", in)
			}
			*s = span(n * float64(length))
			return nil
		}
	}
	d, err := time.ParseDuration(in)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no duration such as 90d, 2w or 12h", in)
	}
	*s = span(d)
	return nil
}

// from is the end of the span that begins at now; zero for no span.
func (s span) from(now time.Time) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(s))
}
