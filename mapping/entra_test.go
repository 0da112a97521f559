package mapping

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/provost-scim/provost/scim"
	"github.com/provost-scim/provost/source"
)

// now is the clock of all tests.
var now = time.Date(2021, 8, 25, 17, 41, 18, 0, time.UTC)

// zeros is a source of randomness that is known.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

var options = Options{Now: func() time.Time { return now }, Random: zeros{}, Normal: strings.ToLower}

// evaluate runs an expression of the Common Expression Language, or of Entra, over attributes.
func evaluate(t *testing.T, entra bool, text string, attrs map[string][]string) (any, error) {
	t.Helper()
	m := &Mapping{registry: scim.Default(), options: options}
	c := compiler{mapping: m, part: &part{use: map[string]bool{}}}
	if entra {
		var err error
		if text, err = fromEntra(text); err != nil {
			return nil, err
		}
	}
	p, err := c.compileExpression(text)
	if err != nil {
		return nil, err
	}
	lower := map[string][]string{}
	for k, v := range attrs {
		lower[strings.ToLower(k)] = v
	}
	return p.run(m.evaluation(source.Record{Kind: source.Person, Key: "k1", Name: "cn=k1,dc=example", Attrs: lower}))
}

// printed writes a result for comparison: text quoted, absence as nil.
func printed(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case time.Time:
		return entraTime(v)
	}
	return fmt.Sprint(v)
}

type attrs = map[string][]string

// entraCases are the examples of Microsoft's reference, and the cases that it describes in words.
var entraCases = []struct {
	text  string
	attrs attrs
	want  string // as printed; "error: …" for a part of an error
}{
	{`Append([userPrincipalName], ".test")`, attrs{"userPrincipalName": {"John.Doe@contoso.com"}}, `"John.Doe@contoso.com.test"`},
	{`Append([absent], ".test")`, nil, `<nil>`},
	{`AppRoleAssignmentsComplex([roles])`, attrs{"roles": {"Admin", `{"id":"1","value":"U","displayName":"User"}`}},
		`[map[display:Admin primary:false value:Admin] map[display:User primary:false value:U]]`},
	{`BitAnd(&HF, &HF7)`, nil, `7`},
	{`BitAnd([uac], 2)`, attrs{"uac": {"514"}}, `2`},
	{`BitAnd([uac], 2)`, attrs{"uac": {"x"}}, `error: "x" is no whole number`},
	{`CBool([a] = [b])`, attrs{"a": {"x"}, "b": {"x"}}, `true`},
	{`CBool([a] = [b])`, attrs{"a": {"x"}, "b": {"X"}}, `false`},
	{`CBool(2)`, nil, `true`},
	{`CDate([d])`, attrs{"d": {"2020-03-16-07:00"}}, `3/16/2020 7:00:00 AM`},
	{`CDate("2021-06-30+08:00")`, nil, `6/29/2021 4:00:00 PM`},
	{`CDate("2009-06-15T01:45:30-07:00")`, nil, `6/15/2009 8:45:30 AM`},
	{`CDate("nonsense")`, nil, `error: is no date`},
	{`Coalesce([mail],[userPrincipalName])`, attrs{"userPrincipalName": {"John.Doe@contoso.com"}}, `"John.Doe@contoso.com"`},
	{`Coalesce([mail], "")`, nil, `""`},
	{`Coalesce([mail])`, nil, `<nil>`},
	{`ConvertToBase64("Hello world!")`, nil, `"SABlAGwAbABvACAAdwBvAHIAbABkACEA"`},
	{`ConvertToUTF8Hex("Hello world!")`, nil, `"48656C6C6F20776F726C6421"`},
	{`Count([proxyAddresses])`, attrs{"proxyAddresses": {"a", "b"}}, `2`},
	{`Count([absent])`, nil, `0`},
	{`CStr([dn])`, attrs{"dn": {"cn=Joe,dc=contoso,dc=com"}}, `"cn=Joe,dc=contoso,dc=com"`},
	{`CStr(True)`, nil, `"True"`},
	{`DateAdd("d", 7, CDate([h]))`, attrs{"h": {"2012-03-16-07:00"}}, `3/23/2012 7:00:00 AM`},
	{`DateAdd("d", -10, CDate([h]))`, attrs{"h": {"2012-03-16-07:00"}}, `3/6/2012 7:00:00 AM`},
	{`DateAdd("ww", 2, CDate([h]))`, attrs{"h": {"2012-03-16-07:00"}}, `3/30/2012 7:00:00 AM`},
	{`DateAdd("m", 10, CDate([h]))`, attrs{"h": {"2012-03-16-07:00"}}, `1/16/2013 7:00:00 AM`},
	{`DateAdd("yyyy", 2, CDate([h]))`, attrs{"h": {"2012-03-16-07:00"}}, `3/16/2014 7:00:00 AM`},
	{`DateAdd("m", 1, CDate("2023-01-31"))`, nil, `2/28/2023 12:00:00 AM`},
	{`DateAdd("q", 1, Now())`, nil, `error: "q" is no unit of time`},
	{`DateDiff("d", CDate("2021-08-18+08:00"), CDate("2021-08-31+08:00"))`, nil, `13`},
	{`DateDiff("d", Now(), CDate("2012-03-16-07:00"))`, nil, `-3449`},
	{`DateDiff("ww", Now(), CDate("2012-03-16-07:00"))`, nil, `-493`},
	{`DateDiff("m", Now(), CDate("2012-03-16-07:00"))`, nil, `-113`},
	{`DateDiff("yyyy", Now(), CDate("2012-03-16-07:00"))`, nil, `-9`},
	{`DateDiff("d", CDate("2021-08-31+08:00"), CDate("2021-08-31+08:00"))`, nil, `0`},
	{`DateDiff("h", CDate("2021-08-24"), CDate("2021-08-25"))`, nil, `24`},
	{`DateDiff("n", CDate("2021-08-24"), CDate("2021-08-25"))`, nil, `1440`},
	{`DateDiff("s", CDate("2021-08-24"), CDate("2021-08-25"))`, nil, `86400`},
	{`Switch([Active], , "1", IIF(DateDiff("d", Now(), CDate([h])) > 5, "False", "True"), "0", "False")`, attrs{"Active": {"1"}, "h": {"2021-08-28"}}, `"True"`},
	{`DateFromNum(129699324000000000)`, nil, `1/1/2012 11:00:00 PM`},
	{`DateFromNum([accountExpires])`, attrs{"accountExpires": {"9223372036854775807"}}, `<nil>`},
	{`FormatDateTime([e], , "yyyyMMddHHmmss.fZ", "yyyy-MM-dd")`, attrs{"e": {"20150123105347.1Z"}}, `"2015-01-23"`},
	{`FormatDateTime([e], , "yyyy-MM-ddzzz", "yyyy-MM-dd")`, attrs{"e": {"2020-12-31-08:00"}}, `"2020-12-31"`},
	{`FormatDateTime([e], , "M/d/yyyy hh:mm:ss tt", "dddd, d MMMM yyyy H:mm:ss.fff K")`, attrs{"e": {"3/5/2020 01:02:03 PM"}}, `"Thursday, 5 March 2020 13:02:03.000 Z"`},
	{`FormatDateTime([e], , "dd.MM.yy", "yyyy-MM-dd")`, attrs{"e": {"31.02.20"}}, `error: is no date that exists`},
	{`Guid()`, nil, `"00000000-0000-4000-8000-000000000000"`},
	{`IgnoreFlowIfNullOrEmpty([department])`, nil, `<nil>`},
	{`IgnoreFlowIfNullOrEmpty(Switch([prefix], "", "3443", "Dr.", "3444", "Prof."))`, attrs{"prefix": {"9"}}, `<nil>`},
	{`IIF([country]="USA",[country],[department])`, attrs{"country": {"USA"}, "department": {"D"}}, `"USA"`},
	{`IIF([country]="USA",IIF([state]="CA","True","False"),"False")`, attrs{"country": {"USA"}, "state": {"CA"}}, `"True"`},
	{`IIF([country]<>"USA","x","y")`, nil, `"x"`},
	{`IIF([n] >= 10, "big", "small")`, attrs{"n": {"9"}}, `"small"`},
	{`InStr("The quick brown fox","quick")`, nil, `5`},
	{`InStr("repEated","e",3,vbBinaryCompare)`, nil, `7`},
	{`InStr("repEated","e",3,vbTextCompare)`, nil, `4`},
	{`InStr("abc","x")`, nil, `0`},
	{`IsNull([displayName])`, nil, `true`},
	{`IsNullOrEmpty("")`, nil, `true`},
	{`IsPresent([a])`, attrs{"a": {"x"}}, `true`},
	{`IsString([a])`, attrs{"a": {"x"}}, `true`},
	{`IsString(1)`, nil, `false`},
	{`Item([proxyAddresses], 1)`, attrs{"proxyAddresses": {"first", "second"}}, `"first"`},
	{`Item([proxyAddresses], 3)`, attrs{"proxyAddresses": {"first", "second"}}, `<nil>`},
	{`Join(", ", "", [surname], [givenName])`, attrs{"givenName": {"John"}, "surname": {"Doe"}}, `"Doe, John"`},
	{`Join(";", [all])`, attrs{"all": {"a", "b"}}, `"a;b"`},
	{`Join("", 1000, Replace(ConvertToUTF8Hex([objectId]), , "[a-zA-Z_]*", , "", , ))`, attrs{"objectId": {"00aa"}}, `"100030306161"`},
	{`Left("John Doe", 3)`, nil, `"Joh"`},
	{`Left("John", -1)`, nil, `"John"`},
	{`Left("John", 0)`, nil, `""`},
	{`Left([absent], 3)`, nil, `""`},
	{`Append(Mid([givenName], 1, 3), Mid([surname], 1, 5))`, attrs{"givenName": {"John"}, "surname": {"Doe"}}, `"JohDoe"`},
	{`NormalizeDiacritics([givenName])`, attrs{"givenName": {"Zoë Æbelø Łódź Straße ÅŐ и й 한"}}, `"Zoe AEbeloe Lodz Strasse AO и й 한"`},
	{`Not("True")`, nil, `false`},
	{`Not([absent])`, nil, `true`},
	{`Now()`, nil, `8/25/2021 5:41:18 PM`},
	{`NumFromDate(Join("", FormatDateTime([c], ,"yyyy-MM-ddzzz", "yyyy-MM-dd"), " 23:59:59-08:00"))`, attrs{"c": {"2020-12-31-08:00"}}, `132539615990000000`},
	{`PCase([firstName])`, attrs{"firstName": {"PABLO GONSALVES (SECOND)"}}, `"Pablo Gonsalves (Second)"`},
	{`PCase([lastName]," '-")`, attrs{"lastName": {"PINTO-DE'SILVA"}}, `"Pinto-De'Silva"`},
	{`PCase(Join(" ",[firstName],[lastName]))`, attrs{"firstName": {"GREGORY"}, "lastName": {"JAMES"}}, `"Gregory James"`},
	{`RandomString(6,3,0,0,3)`, nil, `"00aaa0"`},
	{`RandomString(2,3,0,0,3)`, nil, `error: `},
	{`Redact([userPrincipalName])`, attrs{"userPrincipalName": {"x"}}, `"x"`},
	{`RemoveDuplicates([p])`, attrs{"p": {"a", "b", "a"}}, `[a b]`},
	{`Replace([BusinessTitle],"Product Developer", , , "Software Engineer", , )`, attrs{"BusinessTitle": {"Product Developer"}}, `"Software Engineer"`},
	{`Replace([UserID],"<username>", , , , , "<username>@contoso.com")`, attrs{"UserID": {"jsmith"}}, `"jsmith@contoso.com"`},
	{`Replace([t], , "\\+(?<isdCode>\\d* )(?<phoneNumber>\\d{10})", , "${phoneNumber}", , )`, attrs{"t": {"+91 9998887777"}}, `"9998887777"`},
	{`Replace([mobile], , "[()\\s-]+", , "", , )`, attrs{"mobile": {"1 (999) 888-7777"}}, `"19998887777"`},
	{`Replace([a], ,"(?<streetNumber>^\\d*)","streetNumber", "888", , )`, attrs{"a": {"545 Tremont Street"}}, `"888 Tremont Street"`},
	{`Replace([u], , "(?<Suffix>@(.)*)", "Suffix", "", , )`, attrs{"u": {"jsmith@contoso.com"}}, `"jsmith"`},
	{`Replace([t], , "\\+(?<isdCode>\\d* )(?<phoneNumber>\\d{10})", "phoneNumber" , , [mobile], )`, attrs{"mobile": {"+91 8887779999"}}, `"8887779999"`},
	{`Replace([t], , "x", "x", , [mobile], )`, attrs{"t": {"there"}}, `"there"`},
	{`Replace([mailNickname], , "[a-zA-Z_]*", , "", , )`, attrs{"mailNickname": {"john_doe72"}}, `"72"`},
	{`Replace([mail], "@contoso.com", , ,"", ,)`, attrs{"mail": {"john.doe@contoso.com"}}, `"john.doe"`},
	{`SelectUniqueValue(Join("@", NormalizeDiacritics(StripSpaces(Join(".", [f], [l]))), "contoso.com"), Join("@", NormalizeDiacritics(StripSpaces(Join(".", Mid([f], 1, 1), [l]))), "contoso.com"))`,
		attrs{"f": {"John"}, "l": {"Smith"}}, `[John.Smith@contoso.com J.Smith@contoso.com]`},
	{`SingleAppRoleAssignment([roles])`, attrs{"roles": {"Admin"}}, `"Admin"`},
	{`SingleAppRoleAssignment([roles])`, attrs{"roles": {"Admin", "User"}}, `error: there are 2 roles`},
	{`Split([extensionAttribute5], ",")`, attrs{"extensionAttribute5": {"PermissionSetOne, PermissionSetTwo"}}, `[PermissionSetOne PermissionSetTwo]`},
	{`StripSpaces(" a b ")`, nil, `"ab"`},
	{`Switch([state], "Australia/Sydney", "NSW", "Australia/Sydney","QLD", "Australia/Brisbane")`, attrs{"state": {"QLD"}}, `"Australia/Brisbane"`},
	{`Switch([state], "Australia/Sydney", "QLD", "Australia/Brisbane")`, attrs{"state": {"qld"}}, `"Australia/Sydney"`},
	{`Switch([statusFlag], "Default Value", "true", "1", "", "0")`, nil, `"0"`},
	{`Switch([IsSoftDeleted], , "False", "True", "True", "False")`, attrs{"IsSoftDeleted": {"True"}}, `"False"`},
	{`Switch([IsSoftDeleted], , "False", "True", "True", "False")`, nil, `<nil>`},
	{`ToLower(Join("@", NormalizeDiacritics(StripSpaces(Join(".",  [f], [l]))), "contoso.com"))`, attrs{"f": {"John"}, "l": {"Smith"}}, `"john.smith@contoso.com"`},
	{`ToLower("TITLE", "tr-TR")`, nil, `"tıtle"`},
	{`ToUpper("abc")`, nil, `"ABC"`},
	{`Word("The quick brown fox",3," ")`, nil, `"brown"`},
	{`Word("This,string!has&many separators",3,",!&#")`, nil, `"has"`},
	{`Word("one",2," ")`, nil, `""`},
	// The syntax itself.
	{`"Company name: \"Contoso\""`, nil, `"Company name: \"Contoso\""`},
	{`ToLower("a"`, nil, `error: a ) is missing`},
	{`ToLower("a"))`, nil, `error: should end here`},
	{`department`, nil, `error: attributes are written [department]`},
	{`NoSuch([a])`, nil, `error: undeclared reference to 'NoSuch'`},
	{`Left([a])`, nil, `error: no matching overload`},
	{`Switch([a], "x")`, nil, `error: Switch needs at least 4 arguments`},
}

func TestEntra_ReferenceExamples(t *testing.T) {
	for _, tt := range entraCases {
		t.Run(tt.text, func(t *testing.T) {
			v, err := evaluate(t, true, tt.text, tt.attrs)
			if want, failing := strings.CutPrefix(tt.want, "error: "); failing {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s with %v = %s, %v, want an error with %q", tt.text, tt.attrs, printed(v), err, want)
				}
				return
			}
			if err != nil || printed(v) != tt.want {
				t.Errorf("%s with %v = %s, %v, want %s", tt.text, tt.attrs, printed(v), err, tt.want)
			}
		})
	}
}

// entraFunctions are the functions of the reference.
var entraFunctions = strings.Fields(`Append AppRoleAssignmentsComplex BitAnd CBool CDate Coalesce ConvertToBase64 ConvertToUTF8Hex Count CStr DateAdd
	DateDiff DateFromNum FormatDateTime Guid IgnoreFlowIfNullOrEmpty IIF InStr IsNull IsNullOrEmpty IsPresent IsString Item Join Left Mid
	NormalizeDiacritics Not Now NumFromDate PCase RandomString Redact RemoveDuplicates Replace SelectUniqueValue SingleAppRoleAssignment Split
	StripSpaces Switch ToLower ToUpper Word`)

func TestEntra_EveryFunctionIsTried(t *testing.T) {
	if len(entraFunctions) != 43 {
		t.Fatalf("%d functions, the reference has 43", len(entraFunctions))
	}
	for _, name := range entraFunctions {
		tried := false
		for _, tt := range entraCases {
			tried = tried || strings.Contains(tt.text, name+"(") && !strings.HasPrefix(tt.want, "error")
		}
		if !tried {
			t.Errorf("%s has no case", name)
		}
	}
}
