package gitrepo

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// maxNetrc bounds the size of the file that is read.
const maxNetrc = 1 << 20

// netrc returns the credentials that the user's netrc file has for a host.
func netrc(host string) (login, password string, ok bool) {
	file := os.Getenv("NETRC")
	if file == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", "", false
		}
		file = filepath.Join(home, ".netrc")
		if runtime.GOOS == "windows" {
			file = filepath.Join(home, "_netrc")
		}
	}
	data, err := readLimited(file, maxNetrc)
	if err != nil {
		return "", "", false
	}
	return parseNetrc(string(data), host)
}

// parseNetrc finds a host's entry, or the default one. Macros are skipped: they
// end at an empty line.
func parseNetrc(text, host string) (login, password string, ok bool) {
	var words []string
	inMacro := false
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			inMacro = false
		}
		for i, f := range fields {
			if inMacro || strings.HasPrefix(f, "#") && (i == 0 || fields[i-1] != "password") {
				break
			}
			inMacro = f == "macdef"
			if !inMacro {
				words = append(words, f)
			}
		}
	}
	matches := false
	for i := 0; i < len(words); i++ {
		value := ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		switch words[i] {
		case "machine", "default":
			if matches && ok {
				return login, password, true
			}
			matches = words[i] == "default" || strings.EqualFold(value, host)
			login, password, ok = "", "", false
			if words[i] == "default" {
				continue
			}
		case "login":
			if matches {
				login = value
			}
		case "password":
			if matches {
				password, ok = value, true
			}
		case "account":
		default:
			continue
		}
		i++
	}
	return login, password, matches && ok
}
