package main

import (
	"fmt"
	"io"
	"os"
)

// openInput opens a file, or in if its name is "-".
func (t *terminal) openInput(name string) (io.Reader, func() error, error) {
	if name == "-" {
		return t.in, func() error { return nil }, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, &failure{what: "the file cannot be read", err: err, kept: "nothing was changed", code: exitUsage}
	}
	return f, f.Close, nil
}

// readAtMost reads all of r, or fails if that is more than limit bytes.
func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("it is larger than %s", bytesText(limit))
	}
	return text, err
}

// bytesText is a size for people.
func bytesText(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	size, prefix := float64(n)/unit, 0
	for size >= unit && prefix < len("KMGTPE")-1 {
		size /= unit
		prefix++
	}
	return fmt.Sprintf("%.1f %ciB", size, "KMGTPE"[prefix])
}

// readFile reads a file, or in if its name is "-", of at most limit bytes.
func (t *terminal) readFile(name string, limit int64) ([]byte, error) {
	in, closer, err := t.openInput(name)
	if err != nil {
		return nil, err
	}
	defer closer()
	text, err := readAtMost(in, limit)
	if err != nil {
		return nil, &failure{what: name + " cannot be read", err: err, kept: "nothing was changed", code: exitUsage}
	}
	return text, nil
}
