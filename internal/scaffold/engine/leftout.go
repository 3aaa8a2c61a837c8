package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/nearest"
)

// leftOut are functions that template authors know from elsewhere and that are
// not here, with the reason.
func leftOut() []struct {
	why   string
	hint  string
	names string
} {
	return []struct{ why, hint, names string }{
		{
			"it does not give the same result twice", "make the value an input",
			`now ago randAlpha randAlphaNum randAscii randBytes randInt randNumeric shuffle uuidv4`,
		},
		{
			"it makes keys or salt, which do not give the same result twice", "keep secrets out of templates",
			`bcrypt htpasswd genPrivateKey genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey encryptAES`,
		},
		{
			"it handles a secret", "keep secrets out of templates",
			`decryptAES derivePassword buildCustomCert`,
		},
		{
			"it depends on the clock or on a time zone", "make the text of the date an input",
			`date date_in_zone date_modify dateInZone dateModify duration durationRound htmlDate htmlDateInZone must_date_modify mustDateModify mustToDate toDate unixEpoch`,
		},
		{
			"it depends on the machine", "make the value an input",
			`env expandenv getHostByName lookup`,
		},
		{
			"it differs between operating systems", "use the function without os in its name",
			`osBase osClean osDir osExt osIsAbs`,
		},
		{
			"no value of a template is a function", "call the function by its name",
			`call`,
		},
		{
			"a text that is executed cannot be checked before", "use include with a partial",
			`tpl`,
		},
		{
			"only its greeting is always the same", "write the text itself",
			`hello`,
		},
	}
}

// unknown explains why name cannot be called.
func (t table) unknown(name string) error {
	for _, group := range leftOut() {
		if slices.Contains(strings.Fields(group.names), name) {
			return &fault{fmt.Sprintf("function %q is not available: %s", name, group.why), group.hint}
		}
	}
	names := slices.Collect(maps.Keys(t))
	f := faultf("there is no function %.80q", name)
	if near := nearest.Names(name, names); len(near) > 0 {
		f.hint = "did you mean " + strings.Join(near, " or ") + "?"
	} else {
		f.hint = "the manual lists all functions"
	}
	return f
}
