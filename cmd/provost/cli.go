package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands is the command table. A command's own file holds its flags and its Run method.
type commands struct {
	Config string `placeholder:"FILE" env:"PROVOST_CONFIG" help:"Read settings from this YAML file; its keys are the names of flags. A flag wins over the environment, the environment over the file."`
	Output string `short:"o" enum:"table,json,jsonl,yaml" default:"table" help:"Form of what is printed: ${enum}."`

	Demo    demoCmd    `cmd:"" group:"try" help:"Run everything on sample data and show real provisioning requests with their answers."`
	Serve   serveCmd   `cmd:"" group:"server" help:"Run the server."`
	Doctor  doctorCmd  `cmd:"" group:"server" help:"Check an installation and say what to do about what is wrong."`
	Migrate migrateCmd `cmd:"" group:"server" help:"Bring the store to the form that this program needs."`
	Backup  backupCmd  `cmd:"" group:"server" help:"Back up and restore a store."`
	Tenant  tenantCmd  `cmd:"" group:"tenant" help:"Tenants: each is a directory of its own."`
	Client  clientCmd  `cmd:"" group:"tenant" help:"SCIM clients of a tenant and their tokens."`
	Schema  schemaCmd  `cmd:"" group:"tenant" help:"A tenant's own schemas and resource types."`
	Account accountCmd `cmd:"" group:"tenant" help:"Administrators and service accounts."`
	User    userCmd    `cmd:"" group:"directory" help:"Look at the users of a tenant."`
	Group   groupCmd   `cmd:"" group:"directory" help:"Look at the groups of a tenant."`
	Log     logCmd     `cmd:"" group:"directory" help:"What came over SCIM and what it changed; what channels sent."`

	Source   sourceCmd   `cmd:"" group:"identity" help:"Sources: directories and files from which people and groups are read."`
	Channel  channelCmd  `cmd:"" group:"identity" help:"Channels: each sends one source to one SCIM target."`
	Plan     planCmd     `cmd:"" group:"identity" help:"Show what the next cycle of a channel would do, and why. Exit code 3 if there is anything."`
	Sync     syncCmd     `cmd:"" group:"identity" help:"Run a cycle of a channel now."`
	Removals removalsCmd `cmd:"" group:"identity" help:"Removals that wait for a person."`
	Try      tryCmd      `cmd:"" group:"identity" help:"Show the six steps of one person or group: import, scope, match, plan, reference, export."`

	Verify  verifyCmd  `cmd:"" group:"prove" help:"Play identity providers at any SCIM server and say what would break and why."`
	Version versionCmd `cmd:"" group:"try" help:"Print the version."`
}

// groups orders the commands in the help text.
func groups() kong.Option {
	return kong.ExplicitGroups([]kong.Group{
		{Key: "try", Title: "Look around"},
		{Key: "prove", Title: "Prove a SCIM server"},
		{Key: "server", Title: "Run a server"},
		{Key: "tenant", Title: "Tenants and who may talk to them"},
		{Key: "directory", Title: "What is in a tenant"},
		{Key: "identity", Title: "Send people and groups to a SCIM target"},
		{Key: "store", Title: "Where the store is"},
	})
}

const description = "Provost receives provisioning (a multi-tenant SCIM 2.0 service provider on SQLite or PostgreSQL), " +
	"sends people and groups from LDAP, Active Directory and files to any SCIM target, and proves any SCIM server against the traffic of Entra ID, Okta and PingFederate.\n\n" +
	"Exit codes: 0 done, 1 failed, 2 wrong usage, 3 changes are pending or checks failed."

// The exit codes. Scripts should take any other code as a failure.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitPending = 3
)

// run parses args, runs the command and returns its exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// A second interrupt kills the process in the ordinary way.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	err := parseAndRun(ctx, args, stdin, stdout, stderr)
	var asked exitRequest
	if errors.As(err, &asked) {
		return int(asked)
	}
	return explain(stderr, err)
}

// exitRequest leaves the parser when it has printed help.
type exitRequest int

func (e exitRequest) Error() string { return fmt.Sprintf("exit %d", int(e)) }

func parseAndRun(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exitRequest:
			err = r
		default:
			panic(r)
		}
	}()
	var table commands
	settings, err := readSettings(args)
	if err != nil {
		return err
	}
	parser, err := newParser(&table, kong.Resolvers(settings), kong.Writers(stdout, stderr), kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	if len(args) > 0 && args[0] == "help" { // provost help tenant create
		args = append(slices.Clone(args[1:]), "--help")
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return usageError(err)
	}
	if err := refuseVisibleSecrets(args); err != nil {
		return err
	}
	return parsed.Run(&terminal{in: stdin, out: stdout, err: stderr, form: table.Output})
}

// newParser makes the parser of the command table.
func newParser(table *commands, more ...kong.Option) (*kong.Kong, error) {
	return kong.New(table, append([]kong.Option{
		kong.Name("provost"),
		kong.Description(description),
		groups(),
		kong.DefaultEnvars("PROVOST"),
		kong.Exit(func(code int) { panic(exitRequest(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110, NoExpandSubcommands: true}),
	}, more...)...)
}

// usageError adds where to look to what the parser says.
func usageError(err error) error {
	next := "provost --help"
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil {
		if node := wrong.Context.Selected(); node != nil {
			next = "provost " + node.Path() + " --help"
		}
	}
	return &failure{what: err.Error(), next: next, code: exitUsage}
}
