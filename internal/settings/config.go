// Package settings reads the configuration of "syncer serve" from a file, the
// environment and flags, in rising order.
//
// One table, [Table], says what there is. Flags, the names of environment
// variables, the checks, --print-config and docs/configuration.md are all made
// from it. [Load] finds every mistake before it gives up, and says of each which
// setting it is about, by all its names, where the value came from and what would
// be right. No error, no warning and nothing that is printed holds a secret.
package settings

import (
	"log/slog"
	"net/url"
	"time"

	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/schedule"
)

// Config is what the table's settings come to. Every field is checked.
type Config struct {
	Listen      string // host:port
	AdminListen string // host:port; "" is none
	URL         *url.URL
	Database    Secret // its address may hold a password
	Platform    string // owner/name

	GitHub GitHub
	Setup  Setup

	LogLevel  slog.Level
	LogFormat string // auto, text or json

	Workers         int
	JobTimeout      time.Duration
	ShutdownTimeout time.Duration
	SweepInterval   time.Duration
	CacheDirectory  string
	TemplatePrefix  string
	PreviewMemory   int // MiB
	PreviewTimeout  time.Duration
	ManagedCheck    string // neutral, fail or off
	PullRequests    PullRequests

	TracesEndpoint *url.URL // nil is no tracing

	Merge  policy.Policy // what decides over what golden paths and members say
	Memory bool          // whether how people resolve conflicts is remembered
}

// GitHub says which GitHub, and as which App.
type GitHub struct {
	URL            *url.URL
	AppID          int64  // 0: no App is configured
	PrivateKey     Secret // as it was at the start, wherever it came from
	PrivateKeyFile string // "": it is in no file
	WebhookSecrets []Secret
}

// PullRequests says how many pull requests there may be, and when they come.
type PullRequests struct {
	Limits   Limits
	Schedule schedule.Schedule // the zero value is always
}

// Limits bound pull requests. 0 is no bound.
type Limits struct {
	Open          int // at once, over all repositories
	PerGoldenPath int // at once, of one golden path
	PerHour       int // new ones
}

// Setup says where the App is registered from.
type Setup struct {
	URL       *url.URL // where a browser reaches this server; Config.URL where it is not set
	Directory string   // where what GitHub gives is kept
}

// Registered reports whether an App is configured. Where none is, all that can be
// done is to register one.
func (c *Config) Registered() bool { return c.GitHub.AppID != 0 }

// Secrets returns everything in c that must not be shown.
func (c *Config) Secrets() []Secret {
	all := append([]Secret{c.GitHub.PrivateKey}, c.GitHub.WebhookSecrets...)
	if u, err := url.Parse(c.Database.Reveal()); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok {
			all = append(all, Secret(password))
		}
	}
	return all
}

// Secret is text that prints as "[secret]", whatever it is printed with.
type Secret string

const hidden = "[secret]"

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the text from JSON and its like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the text from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
