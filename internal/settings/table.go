package settings

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/drift/policy"
)

// Setting is one thing that can be configured.
type Setting struct {
	Key     string // in the file, where dots are levels: github.app-id
	Default string
	Kind    string // what a value looks like, for people
	Example string
	Meaning string
	// Secret values are never shown. A password inside of an address is taken out
	// before the address is shown; see hide.
	Secret bool
	// List values may be several: a list in the file, separated by commas elsewhere.
	List bool
	// FileOf is the setting whose value is in the file that this one names.
	FileOf string

	// set checks values and puts them into c. An error says what is wrong and what
	// would be right, and never quotes a secret.
	set func(c *Config, values []string) error
	// hide shows a value without its secret part; nil shows it all.
	hide func(string) string
}

// Env returns the name of the setting's environment variable.
func (s Setting) Env() string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(s.Key))
}

// Flag returns the name of the setting's flag, without dashes.
func (s Setting) Flag() string { return strings.ReplaceAll(s.Key, ".", "-") }

// Names returns all three names.
func (s Setting) Names() string { return s.Key + " (" + s.Env() + ", --" + s.Flag() + ")" }

const envPrefix = "SYNCER_"

// Keys that Load has to know.
const (
	keyDatabase    = "database"
	keyPlatform    = "platform-repository"
	keyURL         = "url"
	keyListen      = "listen"
	keyAdmin       = "admin-listen"
	keyAppID       = "github.app-id"
	keyPrivate     = "github.private-key"
	keyPrivateFile = "github.private-key-file"
	keyHook        = "github.webhook-secret"
	keyHookFile    = "github.webhook-secret-file"
	keySetupDir    = "setup.directory"
	keyCache       = "cache-directory"
)

// Table returns every setting, in the order in which people are shown them.
func Table() []Setting {
	return []Setting{
		{Key: keyURL, Kind: "address", Example: "https://syncer.example.com", set: setURL(func(c *Config) **url.URL { return &c.URL }, rootOnly),
			Meaning: "Where GitHub and people reach this server, as the proxy before it is known. GitHub delivers to /webhooks/github below it."},
		{Key: keyPlatform, Kind: "owner/name", Example: "acme/platform", set: setPlatform,
			Meaning: "The repository whose goldenpaths/ folder has the golden paths."},
		{Key: keyListen, Default: "127.0.0.1:8080", Kind: "host:port", Example: ":8080", set: setAddress(func(c *Config) *string { return &c.Listen }),
			Meaning: "What the server listens on. TLS is left to a proxy."},
		{Key: keyAdmin, Default: "127.0.0.1:8081", Kind: "host:port, or off", Example: ":8081", set: setAdmin,
			Meaning: "What the administrators' address listens on: /metrics, /debug/pprof/, and /jobs and /memory, where whoever reaches it may cancel and replay jobs, and have forgotten how people resolved conflicts. It asks for no password: let nobody else reach it."},
		{Key: keyDatabase, Default: "sqlite:syncer.db", Kind: "sqlite:FILE or postgres://…", Example: "postgres://syncer:PASSWORD@db.example.com/syncer", set: setDatabase, hide: hidePassword,
			Meaning: "Where jobs, members and the audit log are kept. SQLite is for one process; several replicas need PostgreSQL."},
		{Key: keyDatabase + fileEnding, Kind: "file", Example: "/run/secrets/database", FileOf: keyDatabase,
			Meaning: "A file that holds the database's address, because of its password."},

		{Key: "github.url", Default: "https://github.com", Kind: "address", Example: "https://github.example.com", set: setURL(func(c *Config) **url.URL { return &c.GitHub.URL }, nil),
			Meaning: "The GitHub. For an Enterprise Server its root; the API is expected below /api/v3/."},
		{Key: keyAppID, Kind: "number", Example: "123456", set: setAppID,
			Meaning: "The App's number, from its settings page. Without it the server offers to register an App, at /setup."},
		{Key: keyPrivateFile, Kind: "file", Example: "/etc/syncer/private-key.pem", FileOf: keyPrivate, set: setText(func(c *Config) *string { return &c.GitHub.PrivateKeyFile }),
			Meaning: "The App's private key, in PEM. It is read again when it changes, so that a key is rotated without a restart."},
		{Key: keyPrivate, Kind: "PEM", Example: "-----BEGIN RSA PRIVATE KEY-----…", Secret: true, set: setPrivateKey,
			Meaning: "The private key itself, where there are no files to put it into."},
		{Key: keyHook, Kind: "text, several", Example: "NEW,OLD", Secret: true, List: true, set: setHookSecrets,
			Meaning: "What GitHub signs deliveries with. Several while one replaces another: a delivery may be signed with any of them."},
		{Key: keyHookFile, Kind: "file", Example: "/etc/syncer/webhook-secret", FileOf: keyHook,
			Meaning: "A file that holds the webhook secrets, one a line."},
		{Key: "setup.url", Kind: "address", Example: "http://127.0.0.1:8080", set: setURL(func(c *Config) **url.URL { return &c.Setup.URL }, rootOnly),
			Meaning: "Where a browser reaches /setup, where that is not `url`: to register the App from a workstation before the server is deployed."},
		{Key: keySetupDir, Default: "github-app", Kind: "folder", Example: "/var/lib/syncer/github-app", set: setText(func(c *Config) *string { return &c.Setup.Directory }),
			Meaning: "Where /setup puts the private key, the webhook secret and app.yaml, which is read at the next start where no App is configured otherwise."},

		{Key: "workers", Default: "8", Kind: "number", Example: "16", set: setNumber(1, 1000, func(c *Config) *int { return &c.Workers }),
			Meaning: "How many jobs this process works on at a time."},
		{Key: "job-timeout", Default: "10m", Kind: "duration", Example: "20m", set: setDuration("10s", "6h", func(c *Config) *time.Duration { return &c.JobTimeout }),
			Meaning: "How long one job may take before it is cancelled and tried again."},
		{Key: "shutdown-timeout", Default: "25s", Kind: "duration", Example: "2m", set: setDuration("1s", "1h", func(c *Config) *time.Duration { return &c.ShutdownTimeout }),
			Meaning: "How long requests and jobs may take to finish once the server is asked to stop. Jobs that need longer are given back to the queue."},
		{Key: "sweep-interval", Default: "15m", Kind: "duration", Example: "1h", set: setDuration("1m", "24h", func(c *Config) *time.Duration { return &c.SweepInterval }),
			Meaning: "How often failed deliveries are asked for again and members are looked at without being asked to."},
		{Key: keyCache, Kind: "folder", Example: "/var/cache/syncer", set: setCache,
			Meaning: "Where mirrors of Git repositories are kept; `syncer` in the user's cache folder where it is not set. May be deleted at any time."},
		{Key: "template-prefix", Default: "template-", Kind: "text", Example: "gp-", set: setTemplatePrefix,
			Meaning: "How the names of the template repositories begin that golden paths are published as."},

		{Key: "merge.resolve", Kind: "on or off", Example: "off", set: setOneOf([]string{"on", "off"}, func(c *Config, v string) { c.Merge.Resolve = policy.Switch(v) }),
			Meaning: "Whether resolvers are asked about places that both a repository and its golden path changed. Decides over what golden paths and repositories say; where it is not set they decide."},
		{Key: "merge.suggested", Kind: "propose or apply", Example: "propose", set: setOneOf([]string{"propose", "apply"}, func(c *Config, v string) { c.Merge.Suggested = policy.Suggested(v) }),
			Meaning: "What becomes of what is only probably right: it is shown for a person to take, or applied and shown. Decides over what golden paths and repositories say."},
		{Key: "merge.off", Kind: "names of resolvers, several", Example: "words,structure", List: true, set: setResolversOff,
			Meaning: "Resolvers that are never asked, whatever golden paths and repositories say. docs/merge.md lists them."},
		{Key: "merge.memory", Default: "on", Kind: "on or off", Example: "off", set: setOneOf([]string{"on", "off"}, func(c *Config, v string) { c.Memory = v == "on" }),
			Meaning: "Whether it is remembered how people resolve conflicts, so that the same conflict in another repository of the organisation is suggested what three or more agreed on. `off` neither remembers nor asks; what is remembered stays until it is forgotten, at /memory on the administrators' address."},
		{Key: "preview-memory", Default: "256", Kind: "MiB", Example: "512", set: setNumber(64, 65536, func(c *Config) *int { return &c.PreviewMemory }),
			Meaning: "How much memory the process may take that renders a pull request's golden paths, which nobody has looked at yet. On Linux its address space is bounded by it; two such processes may run at a time."},
		{Key: "preview-timeout", Default: "2m", Kind: "duration", Example: "5m", set: setDuration("1s", "1h", func(c *Config) *time.Duration { return &c.PreviewTimeout }),
			Meaning: "How long that process may take for one pull request, all members together, without what GitHub is waited for in between."},
		{Key: "managed-check", Default: "neutral", Kind: "neutral, fail or off", Example: "fail", set: setManagedCheck,
			Meaning: "What the check on a member's pull request says that edits a file which a golden path manages: `neutral` tells it and lets it pass, `fail` fails, `off` makes no check. With `fail` syncer's own pull requests have the check too, so that a branch can require it."},
		{Key: "pull-requests.open", Default: "0", Kind: "number", Example: "200", set: setNumber(0, 1_000_000, func(c *Config) *int { return &c.PullRequests.Limits.Open }),
			Meaning: "How many pull requests of syncer's may be open at once, over all repositories. 0 is no limit. What finds no room waits; new repositories do not."},
		{Key: "pull-requests.open-per-golden-path", Default: "0", Kind: "number", Example: "50", set: setNumber(0, 1_000_000, func(c *Config) *int { return &c.PullRequests.Limits.PerGoldenPath }),
			Meaning: "How many may be open at once for one golden path. 0 is no limit."},
		{Key: "pull-requests.per-hour", Default: "0", Kind: "number", Example: "60", set: setNumber(0, 1_000_000, func(c *Config) *int { return &c.PullRequests.Limits.PerHour }),
			Meaning: "How many may be opened within an hour. 0 is no limit but GitHub's own, which is always kept."},
		{Key: "pull-requests.schedule", Kind: "schedule", Example: "weekdays 08:00-18:00 Europe/Berlin", set: setSchedule,
			Meaning: "When members get changes that say nothing of it under `sync:` in their `.goldenpath.yaml`; at any time where it is not set. DAYS HH:MM-HH:MM ZONE, several separated by semicolons. DAYS is daily, weekdays, weekends or days such as mon-thu,sat. New repositories and orders in comments do not wait."},

		{Key: "log.level", Default: "info", Kind: "debug, info, warn or error", Example: "debug", set: setLevel,
			Meaning: "The least important message that is logged."},
		{Key: "log.format", Default: "auto", Kind: "auto, text or json", Example: "json", set: setFormat,
			Meaning: "`auto` is text on a terminal and JSON elsewhere. Logs go to the standard error."},
		{Key: "otlp.endpoint", Kind: "address", Example: "http://collector:4318", set: setURL(func(c *Config) **url.URL { return &c.TracesEndpoint }, nil),
			Meaning: "Where OpenTelemetry traces are sent, by OTLP over HTTP; to /v1/traces where the address has no path. OTEL_EXPORTER_OTLP_HEADERS and OTEL_TRACES_SAMPLER hold as everywhere."},
	}
}

const fileEnding = "-file"

// find returns the setting with a key of the table.
func find(key string) Setting {
	all := Table()
	return all[slices.IndexFunc(all, func(s Setting) bool { return s.Key == key })]
}
