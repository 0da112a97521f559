package csv

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-scim/provost/source"
)

const (
	goodPeople = "\uFEFFID,userName,mail,mail,note\r\n1, ann ,ann@example.test,a@example.test,\"said \"\"hi\"\",\r\ntwice\"\r\n2,bob,,,\r\n"
	goodGroups = "id,name,members\ng1,Staff,1; 2\ng1,,3\ng2,All,g1\ng3,None,\n"
)

func write(t *testing.T, people, groups string) Config {
	t.Helper()
	dir := t.TempDir()
	c := Config{PeopleFile: filepath.Join(dir, "people.csv"), GroupsFile: filepath.Join(dir, "groups.csv")}
	for path, text := range map[string]string{c.PeopleFile: people, c.GroupsFile: groups} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func read(t *testing.T, c Config, since source.Cursor) ([]source.Record, source.Seal, error) {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	var all []source.Record
	seal, err := s.Read(context.Background(), since, func(r source.Record) error { all = append(all, r); return nil })
	return all, seal, err
}

func TestRead_People(t *testing.T) {
	c := write(t, goodPeople, goodGroups)
	got, seal, err := read(t, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []source.Record{
		{Kind: source.Person, Key: "1", Name: "1", Attrs: map[string][]string{"id": {"1"}, "username": {"ann"},
			"mail": {"ann@example.test", "a@example.test"}, "note": {"said \"hi\",\ntwice"}}},
		{Kind: source.Person, Key: "2", Name: "2", Attrs: map[string][]string{"id": {"2"}, "username": {"bob"}}},
		{Kind: source.Group, Key: "g1", Name: "g1", Attrs: map[string][]string{"id": {"g1"}, "name": {"Staff"}}, Members: []string{"1", "2", "3"}},
		{Kind: source.Group, Key: "g2", Name: "g2", Attrs: map[string][]string{"id": {"g2"}, "name": {"All"}}, Members: []string{"g1"}},
		{Kind: source.Group, Key: "g3", Name: "g3", Attrs: map[string][]string{"id": {"g3"}, "name": {"None"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !seal.Full || seal.Next == nil {
		t.Errorf("seal = %+v", seal)
	}
	again, seal, err := read(t, c, seal.Next)
	if err != nil || seal.Full || len(again) != 0 || len(seal.Gone) != 0 {
		t.Errorf("unchanged files: %d records, seal %+v, %v", len(again), seal, err)
	}
	if err := os.WriteFile(c.PeopleFile, []byte("id\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again, seal, err = read(t, c, seal.Next); err != nil || !seal.Full || len(again) != 4 {
		t.Errorf("changed file: %d records, seal %+v, %v", len(again), seal, err)
	}
}

func TestRead_RefusesWhatItCannotBelieve(t *testing.T) {
	tests := []struct {
		name, people, groups, want string
		fault                      source.Fault
	}{
		{"empty file", "", goodGroups, "people.csv line 1 column 1: the file is empty", source.Malformed},
		{"no rows", "id\n", goodGroups, "has no row", source.Partial},
		{"cut in the last line", "id,name\n1,ann\n2,b", goodGroups, "does not end with a line break", source.Partial},
		{"cut in a quoted field", "id,name\n1,\"ann", goodGroups, "line 2 column 7: a quote is missing", source.Malformed},
		{"no key column", "name\nann\n", goodGroups, `there is no column "id"`, source.Malformed},
		{"two key columns", "id,ID\n1,1\n", goodGroups, "line 1 column 4: a second column id", source.Malformed},
		{"nameless column", "id,\n1,2\n", goodGroups, "line 1 column 4: the column has no name", source.Malformed},
		{"empty key", "id,name\n1,ann\n ,bob\n", goodGroups, "line 3 column 1: id is empty", source.Malformed},
		{"key twice", "id,name\n1,ann\n2,bob\n1,ann\n", goodGroups, `line 4 column 1: id "1" is taken by`, source.Malformed},
		{"key of a person and a group", goodPeople, "id,members\n1,2\n", `id "1" is taken by`, source.Malformed},
		{"too few fields", "id,name\n1\n", goodGroups, "line 2 column 1: the row has another number of fields", source.Malformed},
		{"bare quote", "id,name\n1,a\"b\n", goodGroups, "line 2 column 4: a quote stands", source.Malformed},
		{"not UTF-8", "id,name\n1,\xff\n", goodGroups, "line 2 column 3: name is not UTF-8", source.Malformed},
		{"no members column", goodPeople, "id,name\ng1,Staff\n", `there is no column "members"`, source.Malformed},
		{"group told twice differently", goodPeople, "id,name,members\ng,A,1\ng,B,2\n", "line 3 column 3: name differs", source.Malformed},
		{"group not told in one go", goodPeople, "id,members\ng,1\nh,1\ng,2\n", `line 4 column 1: id "g" is taken`, source.Malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, seal, err := read(t, write(t, tt.people, tt.groups), nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) || source.FaultOf(err) != tt.fault {
				t.Errorf("error = %v (%s), want %s with %q", err, source.FaultOf(err), tt.fault, tt.want)
			}
			if seal.Full || seal.Next != nil {
				t.Errorf("it was sealed: %+v", seal)
			}
		})
	}
}

func TestRead_FileChangesMeanwhile(t *testing.T) {
	c := write(t, goodPeople, goodGroups)
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	seal, err := s.Read(context.Background(), nil, func(source.Record) error {
		return os.WriteFile(c.GroupsFile, []byte("id,members\nother,1\n"), 0o600)
	})
	if source.FaultOf(err) != source.Partial || seal.Next != nil {
		t.Errorf("error = %v, seal = %+v; want no seal for a file that changed", err, seal)
	}
}

func TestRead_MissingFileAndCancel(t *testing.T) {
	c := write(t, goodPeople, goodGroups)
	c.GroupsFile += ".not"
	if _, _, err := read(t, c, nil); source.FaultOf(err) != source.Unreachable || !strings.Contains(err.Error(), "groups_file") {
		t.Errorf("missing file: %v", err)
	}
	s, err := New(write(t, goodPeople, goodGroups))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if seal, err := s.Read(ctx, nil, func(source.Record) error { return nil }); err == nil || seal.Next != nil {
		t.Errorf("cancelled read: %v, %+v", err, seal)
	}
}

func TestNew_BadConfig(t *testing.T) {
	for field, c := range map[string]Config{"people_file": {}, "key": {PeopleFile: "x", Key: "Members"}, "delimiter": {PeopleFile: "x", Delimiter: ",,"}} {
		_, err := New(c)
		if source.FaultOf(err) != source.Misconfigured || !strings.HasPrefix(err.Error(), field+":") {
			t.Errorf("New(%+v) = %v, want %s misconfigured", c, err, field)
		}
	}
}

func TestBrowseAndCount(t *testing.T) {
	s, err := New(write(t, strings.ReplaceAll(goodPeople, ",", "\t"), strings.ReplaceAll(goodGroups, ",", "\t")))
	if err != nil {
		t.Fatal(err)
	}
	s.comma = '\t'
	if n, err := s.Count(context.Background(), source.Group); n != 3 || err != nil {
		t.Errorf("Count = %d, %v; want 3", n, err)
	}
	var keys []string
	if err := s.Browse(context.Background(), source.Person, "BOB", 5, func(r source.Record) error { keys = append(keys, r.Key); return nil }); err != nil || !slices.Equal(keys, []string{"2"}) {
		t.Errorf("Browse found %v, %v; want 2", keys, err)
	}
	if report, err := s.Test(context.Background()); err != nil || len(report.Lines) != 2 || !report.Lines[0].OK {
		t.Errorf("Test = %+v, %v", report, err)
	}
}
