package settings

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/schedule"
)

func setText(at func(*Config) *string) func(*Config, []string) error {
	return func(c *Config, v []string) error {
		*at(c) = v[0]
		return nil
	}
}

func setNumber(least, most int, at func(*Config) *int) func(*Config, []string) error {
	return func(c *Config, v []string) error {
		n, err := strconv.Atoi(v[0])
		if err != nil || n < least || n > most {
			return fmt.Errorf("%q is not a number from %d to %d", v[0], least, most)
		}
		*at(c) = n
		return nil
	}
}

func setSchedule(c *Config, v []string) error {
	s, err := schedule.Parse(v[0], time.LoadLocation)
	c.PullRequests.Schedule = s
	return err
}

func setDuration(least, most string, at func(*Config) *time.Duration) func(*Config, []string) error {
	return func(c *Config, v []string) error {
		low, errLow := time.ParseDuration(least)
		high, errHigh := time.ParseDuration(most)
		if err := errors.Join(errLow, errHigh); err != nil {
			return err // unreachable: the table's own
		}
		d, err := time.ParseDuration(v[0])
		if err != nil {
			return fmt.Errorf("%q is not a duration; write it with its unit, such as 90s, 15m or 2h", v[0])
		}
		if d < low || d > high {
			return fmt.Errorf("%s is out of bounds; give %s to %s", v[0], least, most)
		}
		*at(c) = d
		return nil
	}
}

// setURL accepts an absolute HTTP address.
func setURL(at func(*Config) **url.URL, also func(*url.URL) error) func(*Config, []string) error {
	return func(c *Config, v []string) error {
		u, err := url.Parse(v[0])
		switch {
		case err == nil && u.User != nil:
			return errors.New("the address holds a user or a password; remove it")
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			return fmt.Errorf("%q is not an address; write it in full, such as https://%s", v[0], exampleHost(v[0]))
		case u.RawQuery != "" || u.Fragment != "":
			return fmt.Errorf("%q has a query or a fragment; remove what follows the path", v[0])
		}
		if also != nil {
			if err := also(u); err != nil {
				return err
			}
		}
		*at(c) = u
		return nil
	}
}

// exampleHost makes of a host without a scheme an example that is its writer's own.
func exampleHost(text string) string {
	if host, _, _ := strings.Cut(text, "/"); regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?$`).MatchString(host) {
		return host
	}
	return "syncer.example.com"
}

// rootOnly refuses a path: every address that the server hands out begins at the root.
func rootOnly(u *url.URL) error {
	if strings.Trim(u.Path, "/") != "" {
		return fmt.Errorf("%q has a path; the server needs a host name of its own: %s://%s", u, u.Scheme, u.Host)
	}
	u.Path = ""
	return nil
}

func setAddress(at func(*Config) *string) func(*Config, []string) error {
	return func(c *Config, v []string) error {
		host, port, err := net.SplitHostPort(v[0])
		if err != nil {
			return fmt.Errorf("%q is not host:port; write 127.0.0.1:8080, or :8080 for every address of the machine", v[0])
		}
		if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
			return fmt.Errorf("%q has no port from 0 to 65535", v[0])
		}
		*at(c) = net.JoinHostPort(host, port)
		return nil
	}
}

func setAdmin(c *Config, v []string) error {
	if v[0] == "off" {
		c.AdminListen = ""
		return nil
	}
	return setAddress(func(c *Config) *string { return &c.AdminListen })(c, v)
}

// Owners have letters, digits and hyphens, and those of managed users an
// underscore; https://docs.github.com/rest limits both parts by pattern.
var platformForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}$`)
})

func setPlatform(c *Config, v []string) error {
	name := strings.TrimSuffix(v[0], ".git")
	if !platformForm().MatchString(name) {
		return fmt.Errorf("%q is not owner/name; give the repository as GitHub shows it, such as acme/platform", v[0])
	}
	c.Platform = name
	return nil
}

func setDatabase(c *Config, v []string) error {
	scheme, rest, _ := strings.Cut(v[0], ":")
	switch scheme {
	case "sqlite":
		if strings.TrimPrefix(rest, "//") == "" {
			return errors.New("sqlite: lacks the file; write sqlite:/var/lib/syncer/syncer.db")
		}
	case "postgres", "postgresql":
		// The parser's error quotes the address, which may hold a password.
		if u, err := url.Parse(v[0]); err != nil || u.Host == "" && !u.Query().Has("host") {
			return errors.New("the address is not a URL; write postgres://USER:PASSWORD@HOST/DATABASE, with %-escapes for what is special in a URL")
		}
	default:
		return errors.New("the address begins with neither sqlite: nor postgres://; write sqlite:FILE, or postgres://USER:PASSWORD@HOST/DATABASE")
	}
	c.Database = Secret(v[0])
	return nil
}

func hidePassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return hidden
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "password") {
			query.Set(name, "xxxxx")
			u.RawQuery = query.Encode()
		}
	}
	return u.Redacted()
}

func setAppID(c *Config, v []string) error {
	n, err := strconv.ParseInt(v[0], 10, 64)
	if err != nil || n <= 0 {
		return fmt.Errorf("%q is not the App's number; it is on the App's settings page, as App ID (the client ID, which begins with letters, is another thing)", v[0])
	}
	c.GitHub.AppID = n
	return nil
}

func setPrivateKey(c *Config, v []string) error {
	// Environment files have one line a variable.
	text := strings.ReplaceAll(v[0], `\n`, "\n")
	if err := checkKey([]byte(text)); err != nil {
		return err
	}
	c.GitHub.PrivateKey = Secret(text)
	return nil
}

// checkKey accepts an RSA key in PEM, in either form that there is.
func checkKey(text []byte) error {
	block, _ := pem.Decode(text)
	if block == nil {
		return errors.New("it is not in PEM; use the .pem file that GitHub gave when the key was made")
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if _, ok := key.(*rsa.PrivateKey); err != nil || !ok {
		return fmt.Errorf("it holds %q and not an RSA private key; use the .pem file that GitHub gave when the key was made", block.Type)
	}
	return nil
}

func setHookSecrets(c *Config, v []string) error {
	var all []Secret
	for i, one := range v {
		if strings.TrimSpace(one) == "" {
			return fmt.Errorf("secret %d of %d is empty: anybody could sign with it; remove it", i+1, len(v))
		}
		all = append(all, Secret(one))
	}
	c.GitHub.WebhookSecrets = all
	return nil
}

var prefixForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9._-]{0,60}$`) })

func setTemplatePrefix(c *Config, v []string) error {
	if !prefixForm().MatchString(v[0]) {
		return fmt.Errorf("%q cannot begin a repository's name; use letters, digits, '.', '_' and '-', at most 60", v[0])
	}
	c.TemplatePrefix = v[0]
	return nil
}

func setManagedCheck(c *Config, v []string) error {
	if !slices.Contains([]string{"neutral", "fail", "off"}, v[0]) {
		return fmt.Errorf("%q is not a policy; give neutral, fail or off", v[0])
	}
	c.ManagedCheck = v[0]
	return nil
}

func setCache(c *Config, v []string) error {
	c.CacheDirectory = v[0]
	return nil
}

// defaultCache is the folder that the command line uses too.
func defaultCache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", errors.New("neither HOME nor XDG_CACHE_HOME says where the user's cache folder is; give a folder")
	}
	return filepath.Join(dir, "syncer"), nil
}

func setLevel(c *Config, v []string) error {
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, strings.ToLower(v[0])) {
		return fmt.Errorf("%q is not a level; give debug, info, warn or error", v[0])
	}
	var l slog.Level
	if err := l.UnmarshalText([]byte(v[0])); err != nil {
		return err // unreachable: it is one of the four
	}
	c.LogLevel = l
	return nil
}

func setFormat(c *Config, v []string) error {
	if !slices.Contains([]string{"auto", "text", "json"}, v[0]) {
		return fmt.Errorf("%q is not a format; give auto, text or json", v[0])
	}
	c.LogFormat = v[0]
	return nil
}

// setOneOf accepts one of some words.
func setOneOf(words []string, set func(*Config, string)) func(*Config, []string) error {
	return func(c *Config, v []string) error {
		if !slices.Contains(words, v[0]) {
			return fmt.Errorf("%q is none of them; give %s", v[0], strings.Join(words, " or "))
		}
		set(c, v[0])
		return nil
	}
}

func setResolversOff(c *Config, v []string) error {
	for _, name := range v {
		if err := policy.CheckResolver(strings.TrimSpace(name)); err != nil {
			return err
		}
		c.Merge.Off = append(c.Merge.Off, strings.TrimSpace(name))
	}
	return nil
}

// loopback reports whether only this machine reaches a host.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
