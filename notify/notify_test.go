package notify_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/provost-scim/provost/notify"
)

// listenSMTP accepts one mail as an SMTP server does (RFC 5321) and hands it over.
func listenSMTP(t *testing.T) (port int, mail <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		var text strings.Builder
		in := bufio.NewReader(c)
		fmt.Fprint(c, "220 test\r\n")
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			switch word := strings.ToUpper(strings.Fields(line + " x")[0]); word {
			case "EHLO":
				fmt.Fprint(c, "250 test\r\n")
			case "DATA":
				fmt.Fprint(c, "354 go on\r\n")
				for line, err = in.ReadString('\n'); err == nil && line != ".\r\n"; line, err = in.ReadString('\n') {
					text.WriteString(line)
				}
				fmt.Fprint(c, "250 taken\r\n")
				got <- text.String()
			case "QUIT":
				fmt.Fprint(c, "221 bye\r\n")
				return
			default:
				text.WriteString(line)
				fmt.Fprint(c, "250 ok\r\n")
			}
		}
	}()
	_, p, _ := net.SplitHostPort(l.Addr().String())
	port, err = strconv.Atoi(p)
	if err != nil {
		t.Fatal(err)
	}
	return port, got
}

func TestMail_Arrives(t *testing.T) {
	port, mail := listenSMTP(t)
	m := notify.Mail{Host: "127.0.0.1", Port: port, From: "provost@example.com", TLS: "none"}
	if err := m.Send(t.Context(), []string{"root@example.com"}, "Channel hr waits", "Because of this.\n"); err != nil {
		t.Fatal(err)
	}
	got := <-mail
	for _, want := range []string{"RCPT TO:<root@example.com>", "Subject: Channel hr waits", "Because of this."} {
		if !strings.Contains(got, want) {
			t.Errorf("the mail lacks %q:\n%s", want, got)
		}
	}
}

func TestMail_SaysWhatIsWrong(t *testing.T) {
	if err := (notify.Mail{}).Send(t.Context(), []string{"a@example.com"}, "s", "t"); !errors.Is(err, notify.ErrNoMail) {
		t.Errorf("without a server: %v", err)
	}
	port, _ := listenSMTP(t)
	for name, m := range map[string]notify.Mail{
		"sender": {Host: "127.0.0.1", Port: port, From: "no address", TLS: "none"},
		"no TLS": {Host: "127.0.0.1", Port: port, From: "a@example.com"}, // STARTTLS is asked for and not offered
	} {
		if err := m.Send(t.Context(), []string{"b@example.com"}, "s", "t"); err == nil {
			t.Errorf("%s: the mail went out", name)
		}
	}
}

func TestWebhook(t *testing.T) {
	var body string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/hook", http.StatusTemporaryRedirect)
		case "/hook":
			text, _ := io.ReadAll(r.Body)
			body = string(text)
		default:
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer s.Close()
	if err := notify.Webhook(t.Context(), s.URL+"/hook", map[string]string{"event": "held"}); err != nil || body != `{"event":"held"}` {
		t.Errorf("%v, %q", err, body)
	}
	body = ""
	for _, path := range []string{"/moved", "/broken"} {
		if err := notify.Webhook(t.Context(), s.URL+path, 1); err == nil || body != "" {
			t.Errorf("%s: %v, %q", path, err, body)
		}
	}
}
