package main

import (
	"bytes"

	"github.com/provost-scim/provost/verify"
)

type verifyDiffCmd struct {
	Before string `arg:"" env:"-" help:"Report of the earlier run."`
	After  string `arg:"" env:"-" help:"Report of the later run."`
}

// maxReport bounds a report that is read.
const maxReport = 256 << 20

func (c *verifyDiffCmd) Run(t *terminal) error {
	var reports [2]*verify.Report
	for i, name := range []string{c.Before, c.After} {
		text, err := t.readFile(name, maxReport)
		if err != nil {
			return err
		}
		if reports[i], err = verify.ReadReport(bytes.NewReader(text)); err != nil {
			return &failure{what: name + " cannot be compared", err: err, next: "make reports with provost verify … --report FILE", code: exitUsage}
		}
	}
	changes := verify.Diff(reports[0], reports[1])
	worse := false
	if t.form == "table" {
		worse = verify.WriteDiff(t.out, changes)
	} else {
		rows := t.list()
		for _, ch := range changes {
			worse = worse || ch.Worse
			if err := rows.row(ch); err != nil {
				return err
			}
		}
		if err := rows.end(""); err != nil {
			return err
		}
	}
	if worse {
		return &failure{what: "the later run is worse", code: exitPending, next: "look at the lines marked with !"}
	}
	return nil
}

type verifyCasesCmd struct {
	As []string `env:"-" placeholder:"PROFILE,…" help:"Only these profiles."`
}

func (c *verifyCasesCmd) Run(t *terminal) error {
	rows := t.list("case", "rule", "severity", "what must hold")
	for _, p := range verify.Profiles() {
		if len(c.As) > 0 && !verify.Match(c.As, p.Name) {
			continue
		}
		for _, k := range p.Cases {
			if err := rows.row(k, k.Name, k.Rule, string(k.Severity), k.Title); err != nil {
				return err
			}
		}
	}
	return rows.end("there is no such profile")
}
