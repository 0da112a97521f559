package rig

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// CallLimit is how long one request may take before Do gives up.
const CallLimit = 60 * time.Second

// Conn is one keep-alive HTTP/1.1 connection that costs its process little, so that what is measured is the
// server. It is used by one goroutine.
type Conn struct {
	addr, token string
	conn        net.Conn
	in          *bufio.Reader
	out         []byte
	body        []byte
	head        []byte
	used        time.Time
}

// mostIdle is how long a connection may rest before a new one is made: a server closes those that rest longer.
const mostIdle = 30 * time.Second

// Answer is a response; its bytes are valid until the next Do.
type Answer struct {
	Status int
	Body   []byte
	head   []byte
}

// NewConn prepares a connection to host:port that sends the bearer token; it connects when it is first used and
// again after an error.
func NewConn(addr, token string) *Conn {
	return &Conn{addr: addr, token: token}
}

// Close closes the connection.
func (c *Conn) Close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// Do sends one request and reads the whole answer. Path is the request target, query included, already escaped.
// After an error it is unknown whether the server acted on the request.
func (c *Conn) Do(method, path string, body []byte) (Answer, error) {
	now := time.Now()
	if now.Sub(c.used) > mostIdle {
		c.Close()
	}
	c.used = now
	if c.conn == nil {
		conn, err := net.DialTimeout("tcp", c.addr, 5*time.Second)
		if err != nil {
			return Answer{}, err
		}
		c.conn, c.in = conn, bufio.NewReaderSize(conn, 64<<10)
	}
	a, err := c.exchange(method, path, body)
	if err != nil {
		c.Close()
	}
	return a, err
}

func (c *Conn) exchange(method, path string, body []byte) (Answer, error) {
	b := append(c.out[:0], method...)
	b = append(b, ' ')
	b = append(b, path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, c.addr...)
	if c.token != "" {
		b = append(b, "\r\nAuthorization: Bearer "...)
		b = append(b, c.token...)
	}
	if body != nil {
		b = append(b, "\r\nContent-Type: application/scim+json\r\nContent-Length: "...)
		b = strconv.AppendInt(b, int64(len(body)), 10)
	}
	b = append(b, "\r\n\r\n"...)
	b = append(b, body...)
	c.out = b
	if err := c.conn.SetDeadline(c.used.Add(CallLimit)); err != nil {
		return Answer{}, err
	}
	if _, err := c.conn.Write(b); err != nil {
		return Answer{}, err
	}
	return c.read(method)
}

// read reads status line, headers and body.
func (c *Conn) read(method string) (Answer, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return Answer{}, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return Answer{}, fmt.Errorf("not an HTTP answer: %q", line)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return Answer{}, fmt.Errorf("not an HTTP answer: %q", line)
	}
	c.head = c.head[:0]
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return Answer{}, err
		}
		if len(line) <= 2 {
			break
		}
		c.head = append(c.head, line...)
	}
	a := Answer{Status: status, head: c.head}
	if method == "HEAD" || status == 204 || status == 304 {
		return a, nil
	}
	c.body = c.body[:0]
	if a.Header("Transfer-Encoding") == "chunked" {
		err = c.readChunks()
	} else {
		var n int
		if n, err = strconv.Atoi(a.Header("Content-Length")); err != nil {
			return Answer{}, errors.New("the answer tells no length")
		}
		err = c.readBytes(n)
	}
	a.Body = c.body
	if a.Header("Connection") == "close" {
		c.Close()
	}
	return a, err
}

// readBytes appends n bytes to the body.
func (c *Conn) readBytes(n int) error {
	from := len(c.body)
	if cap(c.body) < from+n {
		c.body = append(make([]byte, 0, 2*(from+n)), c.body...)
	}
	c.body = c.body[:from+n]
	_, err := io.ReadFull(c.in, c.body[from:])
	return err
}

// readChunks reads a chunked body (RFC 9112 §7.1) without trailers.
func (c *Conn) readChunks() error {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return fmt.Errorf("chunk length: %w", err)
		}
		if err := c.readBytes(int(n)); err != nil {
			return err
		}
		if _, err := c.in.Discard(2); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
	}
}

// Header returns the value of a header of the answer, "" if it is absent. Names are compared without regard to case.
func (a *Answer) Header(name string) string {
	for rest := a.head; len(rest) > 0; {
		line, next, _ := bytes.Cut(rest, []byte("\r\n"))
		rest = next
		if len(line) > len(name) && line[len(name)] == ':' && bytes.EqualFold(line[:len(name)], []byte(name)) {
			return string(bytes.TrimSpace(line[len(name)+1:]))
		}
	}
	return ""
}
