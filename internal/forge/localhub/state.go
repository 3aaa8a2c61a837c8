package localhub

import (
	"strings"
	"time"
)

// obj is a JSON object that is about to be sent.
type obj = map[string]any

// state is everything but git objects. Hub.mu guards it.
type state struct {
	last     int64 // the id that was given last
	accounts map[string]*account
	repos    map[int64]*repository
	names    map[string]int64 // full name in lower case → repository now
	moved    map[string]int64 // names that repositories had before
	apps     map[int64]*App
	installs map[int64]*Installation
	tokens   map[string]*token
	codes    map[string]*App // manifest codes not yet exchanged
}

func newState() *state {
	return &state{
		last: 1000, accounts: map[string]*account{}, repos: map[int64]*repository{},
		names: map[string]int64{}, moved: map[string]int64{}, apps: map[int64]*App{},
		installs: map[int64]*Installation{}, tokens: map[string]*token{}, codes: map[string]*App{},
	}
}

// id gives a new id; all kinds share one sequence, so that a mixed-up id is never
// right by accident.
func (s *state) id() int64 {
	s.last++
	return s.last
}

// Kinds of account, in GitHub's words.
const (
	kindUser = "User"
	kindOrg  = "Organization"
	kindBot  = "Bot"
)

type account struct {
	id      int64
	login   string
	kind    string
	created time.Time
	members map[string]string // login → admin or member, of an organisation
	teams   map[string]*team
	schema  map[string]*property // custom properties of an organisation
}

type team struct {
	id         int64
	name, slug string
	members    map[string]bool
}

// property is the definition of a custom property.
type property struct {
	Name          string   `json:"property_name"`
	ValueType     string   `json:"value_type"`
	Required      bool     `json:"required"`
	DefaultValue  any      `json:"default_value"`
	Description   *string  `json:"description"`
	AllowedValues []string `json:"allowed_values"`
}

type repository struct {
	id            int64
	owner         *account
	name          string
	description   string
	homepage      string
	private       bool
	archived      bool
	disabled      bool
	fork          bool
	mirror        string
	template      bool
	templateOf    int64
	topics        []string
	properties    map[string]any
	defaultBranch string
	created       time.Time
	updated       time.Time
	pushed        time.Time
	settings      settings
	store         *store
	awaited       *awaited

	number        int
	issues        map[int]*issue
	labels        map[string]*label // by name in lower case
	checks        map[int64]*checkRun
	suites        map[int64]*checkSuite
	rulesets      []*ruleset
	protections   map[string]*Protection
	variables     map[string]*variable
	environments  map[string]*environment
	deployments   map[int64]*deployment
	remarks       []*comment // on commits
	teams         map[string]string
	collaborators map[string]string
	dispatches    []Dispatch
	hidden        bool // deleted
}

// settings are switches that PATCH changes and GET shows.
type settings struct {
	hasIssues, hasProjects, hasWiki                                  bool
	squash, merge, rebase, autoMerge, deleteBranch, update, noDrafts bool
}

func (r *repository) fullName() string { return r.owner.login + "/" + r.name }

func key(owner, name string) string { return strings.ToLower(owner + "/" + name) }

// awaited is a template's content that has not arrived yet.
type awaited struct {
	from      *repository
	all       bool // all branches
	actor     *actor
	readsLeft int
	whenTold  bool
}

// find returns the repository of that name, or nil; moved tells that it is there
// under an old name.
func (s *state) find(owner, name string) (repo *repository, moved bool) {
	if id, ok := s.names[key(owner, name)]; ok {
		return s.repos[id], false
	}
	if id, ok := s.moved[key(owner, name)]; ok && s.repos[id] != nil && !s.repos[id].hidden {
		return s.repos[id], true
	}
	return nil, false
}

func (s *state) account(login string) *account { return s.accounts[strings.ToLower(login)] }

// addAccount makes an account, or returns the one that is there.
func (s *state) addAccount(login, kind string, now time.Time) *account {
	if a := s.account(login); a != nil {
		return a
	}
	a := &account{
		id: s.id(), login: login, kind: kind, created: now,
		members: map[string]string{}, teams: map[string]*team{}, schema: map[string]*property{},
	}
	s.accounts[strings.ToLower(login)] = a
	return a
}
