// Package notify tells people and programs that something needs them: by mail over SMTP, and by a webhook. It knows
// nothing of what it is about.
package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wneessen/go-mail"
)

// Timeout bounds the delivery of one mail or webhook.
const Timeout = 10 * time.Second

// Mail says how mail is sent. The zero value sends none.
type Mail struct {
	Host     string // name of the SMTP server; "" for no mail
	Port     int    // 0 for 587
	From     string // address of the sender
	User     string // "" for no authentication
	Password string
	// TLS is "starttls" (the default), "tls" or "none".
	TLS string
}

// ErrNoMail is what Send fails with if no SMTP server was configured.
var ErrNoMail = errors.New("no SMTP server is configured")

// Send sends one mail in plain text.
func (m Mail) Send(ctx context.Context, to []string, subject, text string) error {
	if m.Host == "" {
		return ErrNoMail
	}
	msg := mail.NewMsg()
	if err := msg.From(m.From); err != nil {
		return fmt.Errorf("the sender %q is no mail address: %w", m.From, err)
	}
	if err := msg.To(to...); err != nil {
		return fmt.Errorf("a recipient is no mail address: %w", err)
	}
	msg.Subject(subject)
	msg.SetDate()
	msg.SetMessageID()
	msg.SetBodyString(mail.TypeTextPlain, text)
	client, err := mail.NewClient(m.Host, m.options()...)
	if err != nil {
		return fmt.Errorf("the SMTP server %s: %w", m.Host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("the mail was not sent through %s: %w", m.Host, err)
	}
	return nil
}

func (m Mail) options() []mail.Option {
	port := m.Port
	if port == 0 {
		port = 587
	}
	o := []mail.Option{mail.WithPort(port), mail.WithTimeout(Timeout)}
	switch m.TLS {
	case "none":
		o = append(o, mail.WithTLSPolicy(mail.NoTLS))
	case "tls":
		o = append(o, mail.WithSSL())
	default:
		o = append(o, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if m.User != "" {
		o = append(o, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(m.User), mail.WithPassword(m.Password))
	}
	return o
}

// webhook does not follow redirects: the address is what the administrator wrote.
var webhook = &http.Client{Timeout: Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// Webhook posts v as JSON. An answer other than 2xx is an error.
func Webhook(ctx context.Context, url string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the webhook's address cannot be used: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := webhook.Do(req)
	if err != nil {
		return fmt.Errorf("the webhook does not answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the webhook answers %s", resp.Status)
	}
	return nil
}
