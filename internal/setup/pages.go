package setup

import (
	"embed"
	"errors"
	"html/template"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

//go:embed pages.html style.css
var files embed.FS

// pages are parsed when they are first needed: most programs never show one.
var pages = sync.OnceValue(func() *template.Template { return template.Must(template.ParseFS(files, "pages.html")) })

// render writes a page. What goes wrong on the way to the browser is not ours.
func render(w http.ResponseWriter, name string, data any) {
	_ = pages().ExecuteTemplate(w, name, data)
}

func refuse(w http.ResponseWriter, status int, title, text string) {
	w.WriteHeader(status)
	render(w, "message", map[string]string{"Title": title, "Text": text})
}

func style(w http.ResponseWriter, _ *http.Request) {
	text, err := files.ReadFile("style.css")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError) // unreachable: it is embedded
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(text)
}

// ownerForm is what GitHub allows a login to be.
var ownerForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`) })

// show is the page itself, for whom the token was exchanged, and the question for
// the token for others.
func (s *Setup) show(w http.ResponseWriter, r *http.Request) {
	if token := r.URL.Query().Get("token"); token != "" {
		s.admit(w, r, token)
		return
	}
	one := s.session(r)
	if one == nil {
		render(w, "enter", map[string]any{"Wrong": false})
		return
	}
	owner := s.cfg.Owner
	if r.URL.Query().Has("owner") {
		owner = strings.TrimSpace(r.URL.Query().Get("owner"))
	}
	if owner != "" && !ownerForm().MatchString(owner) {
		refuse(w, http.StatusBadRequest, "That is not an organization's name.", "Give it as in its address on GitHub: letters, digits and hyphens.")
		return
	}
	text, err := s.manifest(owner)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "The manifest could not be made.", err.Error()) // unreachable: strings
		return
	}
	render(w, "register", map[string]any{
		"Owner": owner, "Action": s.formAddress(owner, s.newState(one)), "Manifest": text,
		"GitHub": s.cfg.GitHub.Host, "Home": s.cfg.Home, "Permissions": Permissions(), "Events": Events(),
	})
}

// enter takes the token from a form.
func (s *Setup) enter(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "The form could not be read.", "Go back and try again.")
		return
	}
	s.admit(w, r, strings.TrimSpace(r.PostForm.Get("token")))
}

// codeForm is wider than GitHub's codes, and safe in a path.
var codeForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`) })

// callback is where GitHub sends the browser back to.
func (s *Setup) callback(w http.ResponseWriter, r *http.Request) {
	one := s.session(r)
	if one == nil {
		refuse(w, http.StatusForbidden, "This browser did not begin the registration.", "Open the link that the server logged, in this browser.")
		return
	}
	code, state := r.URL.Query().Get("code"), r.URL.Query().Get("state")
	known, free := s.begin(one, state)
	switch {
	case !known:
		refuse(w, http.StatusForbidden, "This answer does not belong to a question from here.", "Go back to the page and press its button again. An App that GitHub has just registered is in its settings; delete it there.")
		return
	case !free:
		refuse(w, http.StatusConflict, "A registration is under way.", "Wait a moment and reload this page.")
		return
	}
	used, done := false, false
	defer func() { s.end(one, state, used, done) }()
	if !codeForm().MatchString(code) {
		refuse(w, http.StatusBadRequest, "GitHub sent no code.", "Go back to the page and press its button again.")
		return
	}
	app, err := s.exchange(r.Context(), code)
	if err != nil {
		used = errors.Is(err, errSpent)
		s.failed(w, r, err, used)
		return
	}
	used = true
	kept, err := keep(s.cfg.Directory, app, s.cfg.GitHub.String())
	if err != nil {
		s.cfg.Log.ErrorContext(r.Context(), "the App is registered, but its secrets could not be written", "app", app.ID, "error", err.Error())
		refuse(w, http.StatusInternalServerError, "The App is registered, but its secrets could not be written.",
			err.Error()+". Delete "+app.Page+" on GitHub, make room, and begin again.")
		return
	}
	done = true
	s.cfg.Log.InfoContext(r.Context(), "the App is registered", "app", app.ID, "slug", app.Slug, "settings", kept.Config)
	render(w, "done", map[string]any{"App": app, "Kept": kept})
	if s.cfg.Done != nil {
		s.cfg.Done(kept)
	}
}

func (s *Setup) failed(w http.ResponseWriter, r *http.Request, err error, spent bool) {
	s.cfg.Log.WarnContext(r.Context(), "the App's secrets could not be fetched", "error", err.Error())
	advice := "Reload this page to try again; the code holds for an hour."
	if spent {
		advice = "Go back to the page and press its button again. If GitHub has registered an App, delete it in its settings."
	}
	refuse(w, http.StatusBadGateway, "GitHub did not hand over the App.", err.Error()+". "+advice)
}
