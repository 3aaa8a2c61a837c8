package settings

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/goldenpaths/syncer/internal/drift/policy"
)

var update = flag.Bool("update", false, "write the settings into docs/configuration.md")

// world is a working directory with files, an environment and flags.
type world struct {
	files   map[string]string
	environ []string
	args    []string
}

// load goes to a directory of its own, so tests that use it run one by one.
func (w world) load(t *testing.T) (*Loaded, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("HOME", "/home/somebody")
	t.Setenv("XDG_CACHE_HOME", "")
	for name, text := range w.files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	AddFlags(flags)
	if err := flags.Parse(w.args); err != nil {
		t.Fatal(err)
	}
	return Load(Input{Flags: flags, Environ: w.environ})
}

const required = "url: https://syncer.example.com\nplatform-repository: acme/platform\n"

func key(t testing.TB) string {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // quick; it signs nothing
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}))
}

func TestDefaults(t *testing.T) {
	l, err := world{files: map[string]string{"syncer.yaml": required}}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	c := l.Config
	got := fmt.Sprintln(c.Listen, c.AdminListen, c.URL, c.Database.Reveal(), c.Platform, c.GitHub.URL, c.Registered(),
		c.LogLevel, c.LogFormat, c.Workers, c.JobTimeout, c.ShutdownTimeout, c.SweepInterval, c.CacheDirectory, c.TemplatePrefix,
		c.TracesEndpoint, c.Setup.URL, c.Setup.Directory, c.Merge.Says(), c.Memory)
	want := fmt.Sprintln("127.0.0.1:8080", "127.0.0.1:8081", "https://syncer.example.com", "sqlite:syncer.db", "acme/platform", "https://github.com", false,
		slog.LevelInfo, "auto", 8, 10*time.Minute, 25*time.Second, 15*time.Minute, "/home/somebody/.cache/syncer", "template-",
		nil, "https://syncer.example.com", "github-app", false, true)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if len(l.Warnings) != 0 {
		t.Errorf("warnings %q, want none", l.Warnings)
	}
}

func TestMergePolicy(t *testing.T) {
	file := required + "merge: {resolve: on, suggested: apply, off: [words, structure], memory: off}\n"
	l, err := world{files: map[string]string{"syncer.yaml": file}}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	want := policy.Policy{Resolve: policy.On, Suggested: policy.Apply, Off: []string{"words", "structure"}}
	if diff := cmp.Diff(want, l.Config.Merge); diff != "" || l.Config.Memory {
		t.Errorf("memory %t, mismatch (-want +got):\n%s", l.Config.Memory, diff)
	}
	_, err = world{files: map[string]string{"syncer.yaml": required + "merge: {resolve: maybe}\n"}, environ: []string{"SYNCER_MERGE_OFF=versions,word"}}.load(t)
	for _, part := range []string{`"maybe" is none of them; give on or off`, `there is no resolver "word"; did you mean words`} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v, want %q in it", err, part)
		}
	}
}

// TestOrder sets one setting in every place: file, environment, flag.
func TestOrder(t *testing.T) {
	file := world{files: map[string]string{"syncer.yaml": required + "workers: 3\nlog: {level: warn}\n"}}
	both := file
	both.environ = []string{"SYNCER_WORKERS=4", "SYNCER_LOG_LEVEL=", "HOME=/x"}
	all := both
	all.args = []string{"--workers=5"}
	for _, c := range []struct {
		name  string
		world world
		want  int
		from  string
	}{
		{"the file", file, 3, "syncer.yaml:3"},
		{"the environment over the file", both, 4, "environment SYNCER_WORKERS"},
		{"a flag over both", all, 5, "flag --workers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := c.world.load(t)
			if err != nil {
				t.Fatal(err)
			}
			if l.Config.Workers != c.want || from(l, "workers") != c.from {
				t.Errorf("workers is %d from %q, want %d from %q", l.Config.Workers, from(l, "workers"), c.want, c.from)
			}
			if l.Config.LogLevel != slog.LevelWarn || from(l, "log.level") != "syncer.yaml:4" {
				t.Errorf("log.level is %v from %q, want WARN from syncer.yaml:4: an empty variable sets nothing", l.Config.LogLevel, from(l, "log.level"))
			}
		})
	}
}

func from(l *Loaded, key string) string {
	for _, v := range l.Values {
		if v.Setting.Key == key {
			return v.From
		}
	}
	return "no such setting"
}

// TestEveryName gives every setting by each of its names, and sees it arrive.
func TestEveryName(t *testing.T) {
	pemText := key(t)
	for _, s := range Table() {
		value := s.Example
		files := map[string]string{"secret": "a secret of some length\n", "key.pem": pemText, "db": "sqlite:x.db"}
		switch s.Key {
		case keyPrivate:
			value = strings.ReplaceAll(pemText, "\n", `\n`)
		case keyPrivateFile:
			value = "key.pem"
		case keyHookFile:
			value = "secret"
		case keyDatabase + fileEnding:
			value = "db"
		}
		rest := []string{"SYNCER_URL=https://a.example.com", "SYNCER_PLATFORM_REPOSITORY=a/b"}
		if strings.HasPrefix(s.Key, "github.") && s.Key != "github.url" {
			rest = append(rest, "SYNCER_GITHUB_APP_ID=1")
			if s.FileOf != keyPrivate && s.Key != keyPrivate {
				rest = append(rest, "SYNCER_GITHUB_PRIVATE_KEY_FILE=key.pem")
			}
			if s.FileOf != keyHook && s.Key != keyHook {
				rest = append(rest, "SYNCER_GITHUB_WEBHOOK_SECRET_FILE=secret")
			}
		}
		rest = without(rest, s.Env()+"=")
		nested := fmt.Sprintf("%s: %q\n", s.Key, value)
		if group, leaf, ok := strings.Cut(s.Key, "."); ok {
			nested = fmt.Sprintf("%s:\n  %s: %q\n", group, leaf, value)
		}
		dotted := fmt.Sprintf("%s: %q\n", s.Key, value)
		for _, w := range []world{
			{files: with(files, "syncer.yaml", nested), environ: rest},
			{files: with(files, "syncer.yaml", dotted), environ: rest},
			{files: files, environ: append(rest, s.Env()+"="+value)},
			{files: files, environ: rest, args: []string{"--" + s.Flag(), value}},
		} {
			l, err := w.load(t)
			if err != nil {
				t.Errorf("%s: %v", s.Key, err)
				continue
			}
			f := from(l, s.Key)
			if f == "" || f == fromDefault {
				t.Errorf("%s in %v %v is not found: from %q", s.Key, w.environ, w.args, f)
			}
		}
	}
}

func with(m map[string]string, k, v string) map[string]string {
	out := maps.Clone(m)
	out[k] = v
	return out
}

func without(list []string, prefix string) []string {
	var out []string
	for _, s := range list {
		if !strings.HasPrefix(s, prefix) {
			out = append(out, s)
		}
	}
	return out
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]string{"SYNCER_CONFIG": ConfigFlag, ConfigFlag: ConfigFlag, "json": "the root command", "help": "cobra", "print-config": "serve"}
	for _, s := range Table() {
		for _, name := range []string{s.Key, s.Env(), s.Flag()} {
			if other, ok := seen[name]; ok && other != s.Key {
				t.Errorf("%s and %s are both named %s", s.Key, other, name)
			}
			seen[name] = s.Key
		}
		if s.set == nil && s.FileOf == "" {
			t.Errorf("%s sets nothing", s.Key)
		}
	}
}

// TestMistakes shows that all mistakes are told at once, with names, place and remedy.
func TestMistakes(t *testing.T) {
	_, err := world{
		files:   map[string]string{"syncer.yaml": "url: syncer.example.com\nplatform-repository: https://github.com/acme/platform\nworkers: [1, 2]\ngithub:\n  app-di: 12\napp-id: 7\nlog:\n  level: loud\n"},
		environ: []string{"SYNCER_SWEEP_INTERVAL=15", "SYNCER_DATABASE=mysql://root:hunter2@db/x", "SYNCER_LISTEN=8080"},
		args:    []string{"--github-app-id=Iv1.abc", "--github-webhook-secret="},
	}.load(t)
	if err == nil {
		t.Fatal("a configuration full of mistakes was accepted")
	}
	want := `the configuration has 13 mistakes:
  app-id: syncer.yaml:6: there is no such setting; did you mean github.app-id?
  github.app-di: syncer.yaml:5: there is no such setting; did you mean github.app-id?
  workers (SYNCER_WORKERS, --workers): syncer.yaml:3: give one value: number, such as 16
  url (SYNCER_URL, --url): syncer.yaml:1: "syncer.example.com" is not an address; write it in full, such as https://syncer.example.com
  platform-repository (SYNCER_PLATFORM_REPOSITORY, --platform-repository): syncer.yaml:2: "https://github.com/acme/platform" is not owner/name; give the repository as GitHub shows it, such as acme/platform
  listen (SYNCER_LISTEN, --listen): environment SYNCER_LISTEN: "8080" is not host:port; write 127.0.0.1:8080, or :8080 for every address of the machine
  database (SYNCER_DATABASE, --database): environment SYNCER_DATABASE: the address begins with neither sqlite: nor postgres://; write sqlite:FILE, or postgres://USER:PASSWORD@HOST/DATABASE
  github.app-id (SYNCER_GITHUB_APP_ID, --github-app-id): flag --github-app-id: "Iv1.abc" is not the App's number; it is on the App's settings page, as App ID (the client ID, which begins with letters, is another thing)
  github.webhook-secret (SYNCER_GITHUB_WEBHOOK_SECRET, --github-webhook-secret): flag --github-webhook-secret: secret 1 of 1 is empty: anybody could sign with it; remove it
  sweep-interval (SYNCER_SWEEP_INTERVAL, --sweep-interval): environment SYNCER_SWEEP_INTERVAL: "15" is not a duration; write it with its unit, such as 90s, 15m or 2h
  log.level (SYNCER_LOG_LEVEL, --log-level): syncer.yaml:8: "loud" is not a level; give debug, info, warn or error
  github.private-key-file (SYNCER_GITHUB_PRIVATE_KEY_FILE, --github-private-key-file): it is missing; give the .pem file that GitHub gave when the App's private key was made`
	want = strings.Replace(want, "13", "12", 1)
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

func TestOneMistake(t *testing.T) {
	ok := []string{"SYNCER_URL=https://a.example.com", "SYNCER_PLATFORM_REPOSITORY=a/b"}
	app := append([]string{"SYNCER_GITHUB_APP_ID=1", "SYNCER_GITHUB_PRIVATE_KEY_FILE=key.pem", "SYNCER_GITHUB_WEBHOOK_SECRET=0123456789abcdef"}, ok...)
	pemText := key(t)
	for _, c := range []struct {
		name string
		w    world
		want string // part of the one mistake
	}{
		{"nothing is set", world{environ: ok[:1]}, "platform-repository (SYNCER_PLATFORM_REPOSITORY, --platform-repository): it is missing; give it, such as acme/platform"},
		{"the file is not there", world{environ: append([]string{"SYNCER_CONFIG=no.yaml"}, ok...)}, "SYNCER_CONFIG: there is no file no.yaml"},
		{"the file that a flag names is not there", world{environ: ok, args: []string{"--config=no.yaml"}}, "--config: there is no file no.yaml"},
		{"the file is no YAML", world{environ: ok, files: map[string]string{"syncer.yaml": "a: b: c"}}, "syncer.yaml:1"},
		{"the file is a list", world{environ: ok, files: map[string]string{"syncer.yaml": "- url"}}, "a configuration is a mapping"},
		{"a key twice", world{environ: ok, files: map[string]string{"syncer.yaml": "workers: 1\nworkers: 2\n"}}, "syncer.yaml:2"},
		{"a path below the host", world{environ: []string{"SYNCER_URL=https://a.example.com/syncer", ok[1]}}, "needs a host name of its own: https://a.example.com"},
		{"a password in an address", world{environ: append([]string{"SYNCER_GITHUB_URL=https://u:hunter2@ghe.example.com"}, ok...)}, "holds a user or a password"},
		{"a number too large", world{environ: append([]string{"SYNCER_WORKERS=1001"}, ok...)}, "is not a number from 1 to 1000"},
		{"a duration too long", world{environ: append([]string{"SYNCER_SHUTDOWN_TIMEOUT=2h"}, ok...)}, "give 1s to 1h"},
		{"a port too high", world{environ: append([]string{"SYNCER_LISTEN=:70000"}, ok...)}, "no port from 0 to 65535"},
		{"both servers on one address", world{environ: append([]string{"SYNCER_ADMIN_LISTEN=127.0.0.1:8080"}, ok...)}, "same address as listen"},
		{"a prefix with a slash", world{environ: append([]string{"SYNCER_TEMPLATE_PREFIX=a/b"}, ok...)}, "cannot begin a repository's name"},
		{"an App without its key", world{environ: []string{ok[0], ok[1], app[0], app[2]}}, "github.private-key-file (SYNCER_GITHUB_PRIVATE_KEY_FILE, --github-private-key-file): it is missing"},
		{"an App without its secret", world{environ: []string{ok[0], ok[1], app[0], app[1]}, files: map[string]string{"key.pem": pemText}}, "deliveries could not be told from forgeries"},
		{"an App without its number", world{environ: []string{ok[0], ok[1], app[1], app[2]}, files: map[string]string{"key.pem": pemText}}, "github.app-id (SYNCER_GITHUB_APP_ID, --github-app-id): it is missing"},
		{"a key that is no key", world{environ: app, files: map[string]string{"key.pem": "hunter2"}}, "github.private-key (SYNCER_GITHUB_PRIVATE_KEY, --github-private-key): file key.pem (environment SYNCER_GITHUB_PRIVATE_KEY_FILE): it is not in PEM"},
		{"a certificate for a key", world{environ: app, files: map[string]string{"key.pem": "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n"}}, `it holds "CERTIFICATE"`},
		{"a key file that is missing", world{environ: app}, "there is no file key.pem"},
		{"a key file that is a folder", world{environ: app, files: map[string]string{"key.pem/x": ""}}, "key.pem is not a file"},
		{"a key file that is large", world{environ: app, files: map[string]string{"key.pem": strings.Repeat("x", 65537)}}, "at most 65536 are read"},
		{"a secret in both ways", world{environ: append([]string{"SYNCER_GITHUB_WEBHOOK_SECRET_FILE=s"}, app...), files: map[string]string{"key.pem": pemText, "s": "hunter2"}}, "keep one of the two"},
		{"an empty file with a secret", world{environ: append([]string{"SYNCER_DATABASE_FILE=s"}, ok...), files: map[string]string{"s": "\n"}}, "s is empty"},
		{"a database's address that cannot be read", world{environ: append([]string{"SYNCER_DATABASE=postgres://u:hunter2%zz@h/d"}, ok...)}, "the address is not a URL"},
		{"sqlite without a file", world{environ: append([]string{"SYNCER_DATABASE=sqlite:"}, ok...)}, "lacks the file"},
		{"a format", world{environ: append([]string{"SYNCER_LOG_FORMAT=xml"}, ok...)}, "give auto, text or json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.w.load(t)
			ps, ok := err.(Problems) //nolint:errorlint // Load promises this type
			if !ok || len(ps) != 1 || !strings.Contains(ps[0].Error(), c.want) {
				t.Errorf("got %v, want one mistake with %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error holds a secret: %v", err)
			}
		})
	}
}

func TestSecretsFromFiles(t *testing.T) {
	pemText := key(t)
	l, err := world{
		files: map[string]string{"syncer.yaml": required + "database-file: db\ngithub: {app-id: 5, private-key-file: key.pem, webhook-secret-file: hook}\n",
			"db": "postgres://u:hunter2@h/d\n", "key.pem": pemText, "hook": "new-secret,with-a-comma\r\n\nold-secret-of-some-length\n"},
	}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	c := l.Config
	if diff := cmp.Diff([]Secret{"new-secret,with-a-comma", "old-secret-of-some-length"}, c.GitHub.WebhookSecrets, cmp.Transformer("reveal", Secret.Reveal)); diff != "" {
		t.Errorf("webhook secrets (-want +got):\n%s", diff)
	}
	if c.Database.Reveal() != "postgres://u:hunter2@h/d" || c.GitHub.PrivateKeyFile != "key.pem" || c.GitHub.AppID != 5 {
		t.Errorf("got %#v", c)
	}
	if len(c.Secrets()) != 4 {
		t.Errorf("%d secrets, want the key, two webhook secrets and the database's password", len(c.Secrets()))
	}
}

// TestNothingShowsSecrets prints a configuration in every way that there is.
func TestNothingShowsSecrets(t *testing.T) {
	pemText := key(t)
	l, err := world{
		files:   map[string]string{"syncer.yaml": required, "key.pem": pemText},
		environ: []string{"SYNCER_GITHUB_APP_ID=5", "SYNCER_GITHUB_PRIVATE_KEY=" + pemText, "SYNCER_DATABASE=postgres://u:hunter2@h/d?sslpassword=hunter2"},
		args:    []string{"--github-webhook-secret=hunter2-hunter2,hunter2-again"},
	}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := l.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"github.webhook-secret  ", "[2 secrets]", "flag --github-webhook-secret", "postgres://u:xxxxx@h/d?sslpassword=xxxxx", "github.private-key  "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("--print-config lacks %q:\n%s", want, out.String())
		}
	}
	asJSON, err := json.Marshal(l.JSON())
	if err != nil {
		t.Fatal(err)
	}
	asJSONConfig, err := json.Marshal(l.Config)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(asJSON)
	out.Write(asJSONConfig)
	fmt.Fprintf(&out, "%v %+v %#v %s %v", l.Config, l.Config, l.Config, l.Config.Secrets(), l.Warnings)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "config", l.Config, "secret", l.Config.GitHub.PrivateKey)
	body := strings.Split(pemText, "\n")[1]
	for _, secret := range []string{"hunter2", body} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is shown:\n%s", secret, out.String())
		}
	}
	if w := strings.Join(l.Warnings, "\n"); !strings.Contains(w, "every user of this machine can read") || !strings.Contains(w, "is short") {
		t.Errorf("warnings %q, want one about the flag and one about the length", w)
	}
}

// TestRegisteredApp reads what /setup wrote, unless an App is configured elsewhere.
func TestRegisteredApp(t *testing.T) {
	files := map[string]string{
		"syncer.yaml": required, "key.pem": key(t), "hook": "0123456789abcdef0123",
		"github-app/app.yaml": "github:\n  app-id: 77\n  private-key-file: key.pem\n  webhook-secret-file: hook\n",
	}
	l, err := world{files: files}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	if !l.Config.Registered() || l.Config.GitHub.AppID != 77 || from(l, keyAppID) != filepath.FromSlash("github-app/app.yaml:2") {
		t.Errorf("App %d from %q, want 77 from github-app/app.yaml:2", l.Config.GitHub.AppID, from(l, keyAppID))
	}
	_, err = world{files: files, environ: []string{"SYNCER_GITHUB_APP_ID=5"}}.load(t)
	if err == nil || !strings.Contains(err.Error(), "2 mistakes") {
		t.Errorf("got %v, want the key and the secret of App 5 to be missed rather than those of App 77 used", err)
	}
}

func TestWarnings(t *testing.T) {
	l, err := world{files: map[string]string{"syncer.yaml": "platform-repository: a/b\nurl: http://syncer.example.com\nadmin-listen: :8081\n"},
		environ: []string{"SYNCER_GITHUB_APPID=5", "SYNCER_SERVICE_HOST=10.0.0.1", "SYNCER_URL_X=1", "SYNCER_GIT_TOKEN=x"}}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(l.Warnings, "\n")
	for _, want := range []string{"SYNCER_GITHUB_APPID is not a setting; did you mean SYNCER_GITHUB_APP_ID?", "begins with http:", "open to other machines"} {
		if !strings.Contains(got, want) {
			t.Errorf("warnings lack %q: %s", want, got)
		}
	}
	if len(l.Warnings) != 3 {
		t.Errorf("%d warnings, want 3: %q", len(l.Warnings), l.Warnings)
	}
}

const (
	docs  = "../../docs/configuration.md"
	begin = "<!-- settings: written by go test ./internal/settings -update -->\n"
	end   = "<!-- end of settings -->\n"
)

// TestManual holds docs/configuration.md to the table.
func TestManual(t *testing.T) {
	data, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the marks %q and %q", docs, begin, end)
	}
	if *update {
		if err := os.WriteFile(docs, []byte(before+begin+"\n"+Markdown()+"\n"+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff("\n"+Markdown()+"\n", old); diff != "" {
		t.Errorf("%s (run go test ./internal/settings -update) (-want +got):\n%s", docs, diff)
	}
}

// TestDeployments reads the settings that deploy/ and the manual show: each key is one
// that exists, and nothing is wrong but that the files are elsewhere.
func TestDeployments(t *testing.T) {
	texts := map[string]string{}
	for _, name := range []string{"../../deploy/kubernetes/syncer.yaml", "../../deploy/compose/syncer.yaml", "../../deploy/systemd/syncer.yaml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(data)
	}
	manual, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(manual), "```yaml\n")
	texts[docs], _, _ = strings.Cut(rest, "```")
	for name, text := range texts {
		l, err := world{files: map[string]string{"syncer.yaml": text}}.load(t)
		ps, ok := errors.AsType[Problems](err)
		if err != nil && !ok {
			t.Fatal(err)
		}
		for _, p := range ps {
			if !strings.Contains(p.Message, "there is no file ") {
				t.Errorf("%s: %v", name, p)
			}
		}
		if l.Config.URL.String() != "https://syncer.example.com" || l.Config.Platform != "acme/platform" {
			t.Errorf("%s sets %+v", name, l.Config)
		}
	}
}

// TestWaysOut holds the network policy to the settings: all that syncer may be told to talk
// to, at the ports that the manual shows, it can reach.
func TestWaysOut(t *testing.T) {
	data, err := os.ReadFile("../../deploy/kubernetes/networkpolicy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Spec struct {
			Egress []struct {
				Ports []struct{ Port int }
			}
		}
	}
	if err := yaml.Unmarshal(data, &policy); err != nil { // the first of the file's documents
		t.Fatal(err)
	}
	open := map[string]bool{}
	for _, way := range policy.Spec.Egress {
		for _, p := range way.Ports {
			open[strconv.Itoa(p.Port)] = true
		}
	}
	byScheme := map[string]string{"https": "443", "postgres": "5432"}
	checked := 0
	for _, s := range Table() {
		to, err := url.Parse(s.Example)
		if err != nil || to.Host == "" || strings.HasPrefix(s.Key, "setup.") || s.Key == "url" {
			continue // people come in there
		}
		checked++
		port := to.Port()
		if port == "" {
			port = byScheme[to.Scheme]
		}
		if !open[port] {
			t.Errorf("%s may be %s, and the network policy opens no way out to port %q", s.Key, s.Example, port)
		}
	}
	if checked < 3 {
		t.Errorf("%d settings are addresses that syncer talks to, want GitHub, the database and traces", checked)
	}
}

// FuzzFile reads any file: it never panics, and what it accepts is checked.
func FuzzFile(f *testing.F) {
	f.Add(required)
	f.Add("github: {app-id: 1, webhook-secret: [a, b]}\nlog: null\nworkers: 1e3\n")
	f.Add("a: &a [*a]\n")
	f.Add("setup: {directory: [x]}\nurl: 5\ndatabase: {a: b}\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		name := filepath.Join(dir, "fuzz.yaml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Load(Input{Environ: []string{"SYNCER_CONFIG=" + name}})
		if err != nil {
			return
		}
		if c := l.Config; c.URL == nil || c.Platform == "" || c.Workers < 1 || c.JobTimeout <= 0 || c.Database == "" {
			t.Errorf("%q was accepted as %+v", text, c)
		}
	})
}
