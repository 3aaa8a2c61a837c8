package settings

import (
	"net"
	"slices"
	"strings"
)

// shortSecret is the length, in bytes, below which a webhook secret is warned of:
// it can be found by trying, offline, once somebody has seen one delivery.
const shortSecret = 16

// together checks what no setting can know alone, and fills in what follows from
// others.
func (l *loader) together(out *Loaded) {
	c := &out.Config
	at := func(key string) *Value {
		return &out.Values[slices.IndexFunc(out.Values, func(v Value) bool { return v.Setting.Key == key })]
	}
	for _, key := range []string{keyURL, keyPlatform} {
		if v := at(key); !v.Set() && !v.bad {
			l.fault(*v, "it is missing; give it, such as %s", v.Setting.Example)
		}
	}
	l.app(at)
	if v := at(keyAdmin); c.AdminListen != "" && c.AdminListen == c.Listen && !strings.HasSuffix(c.Listen, ":0") {
		l.fault(*v, "it is the same address as %s, which GitHub reaches; give the administrators one of their own", keyListen)
	}
	if c.URL != nil && c.URL.Scheme == "http" && !loopback(c.URL.Hostname()) {
		l.warnings = append(l.warnings, "url begins with http: deliveries, and later sign-ins, can be read on their way; put a proxy with TLS before the server")
	}
	if host, _, err := net.SplitHostPort(c.AdminListen); err == nil && !loopback(host) {
		l.warnings = append(l.warnings, keyAdmin+" is open to other machines and asks for no password; let only administrators and the metrics' collector reach it")
	}
	l.secrets(out)
	if c.Setup.URL == nil {
		c.Setup.URL = c.URL
	}
	if v := at(keyCache); !v.Set() && !v.bad {
		dir, err := defaultCache()
		if err != nil {
			l.fault(*v, "%s", err)
			return
		}
		c.CacheDirectory = dir
		v.Text, v.From = []string{dir}, fromDefault
	}
}

// app checks that an App is configured whole or not at all.
func (l *loader) app(at func(string) *Value) {
	id, key, hook := at(keyAppID), at(keyPrivate), at(keyHook)
	keyFile, hookFile := at(keyPrivateFile), at(keyHookFile)
	if !id.Set() && !key.Set() && !hook.Set() && !keyFile.Set() && !hookFile.Set() {
		return
	}
	if !id.Set() && !id.bad {
		l.fault(*id, "it is missing, and other settings of an App are there; give the number on the App's settings page")
	}
	if !key.Set() && !key.bad && !keyFile.Set() {
		l.fault(*keyFile, "it is missing; give the .pem file that GitHub gave when the App's private key was made")
	}
	if !hook.Set() && !hook.bad && !hookFile.Set() {
		l.fault(*hook, "it is missing: deliveries could not be told from forgeries; give the webhook secret that is set in the App's settings, or %s", keyHookFile)
	}
}

// secrets warns of secrets that are weak, or where others can read them.
func (l *loader) secrets(out *Loaded) {
	for _, v := range out.Values {
		if v.Setting.Secret && strings.HasPrefix(v.From, "flag ") {
			l.warnings = append(l.warnings, v.From+": every user of this machine can read a program's flags; use "+v.Setting.Key+fileEnding+" or "+v.Setting.Env())
		}
	}
	for _, s := range out.Config.GitHub.WebhookSecrets {
		if len(s) < shortSecret {
			l.warnings = append(l.warnings, keyHook+" is short; use at least 16 random characters, such as those of: openssl rand -hex 32")
			return
		}
	}
}
