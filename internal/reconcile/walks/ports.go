// Package walks holds what the GitHub App does: render a golden path into a new
// repository, keep every member current by pull requests, and show what a change
// of a golden path will do before it is merged. It declares the ports through
// which it sees GitHub, the fleet's memory and the queue of work.
//
// Every walk can be run again at any time: it reads the truth first, does what is
// missing, and leaves alone what is there.
package walks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// What goes wrong on GitHub, as far as a walk does something else then. Errors of
// the ports wrap them.
var (
	ErrNotFound = errors.New("there is no such thing on GitHub, or the App does not see it")
	ErrNotReady = errors.New("the repository has no content yet")
	ErrMoved    = errors.New("the branch was moved by somebody else")
	ErrRefused  = errors.New("a rule of the repository forbids it")
	ErrDenied   = errors.New("the installation lacks a permission")
	ErrInvalid  = errors.New("GitHub says that it is wrong")
	// ErrUnsupported is what this GitHub does not offer to an App.
	ErrUnsupported = errors.New("this GitHub does not offer it")
	// ErrUnrelated is what two commits are that have no history in common.
	ErrUnrelated = errors.New("the commits have no history in common")
	// ErrUnsigned comes with ErrRefused: the branch takes signed commits only, and GitHub
	// did not sign this one.
	ErrUnsigned = errors.New("the commit is not signed")
	// ErrQueued is an ErrRefused: the branch takes changes through its merge queue only.
	ErrQueued = fmt.Errorf("there is a merge queue: %w", ErrRefused)
)

// Place is a repository and the installation through which it is seen.
type Place struct{ Installation, Repository int64 }

// Hub is GitHub.
type Hub interface {
	// Client returns a client for one repository, with the permissions that are
	// named as far as they were granted. Urgent work goes before other work of the
	// installation.
	Client(at Place, permissions map[string]string, urgent bool) Client
	// LookAll is [Client.Look] at several repositories, in as few requests as can be. One
	// that is not in the answer has to be looked at on its own.
	LookAll(ctx context.Context, asks map[Place]Ask) (map[Place]Look, error)
	// Find returns the place of owner/name, as far as the installation of at sees it.
	Find(ctx context.Context, at Place, fullName string) (Place, error)
	// Survey visits every repository that the App sees, and returns the installations
	// of which none was left out.
	Survey(ctx context.Context, visit func(Seen) error) (whole []int64, err error)
	// Redeliver asks GitHub for the deliveries again that failed since a time, and
	// returns how many.
	Redeliver(ctx context.Context, since time.Time) (int, error)
	// EnsureTemplate makes a template repository beside the platform repository, or
	// finds it.
	EnsureTemplate(ctx context.Context, platform Place, name, description string) (Place, error)
}

// Seen is a repository in a survey.
type Seen struct {
	At      Place
	Follows bool // it has .goldenpath.yaml, and is no template
	Unread  bool // it is there, and could not be read this time
}

// Client does things to one repository. Every method that writes looks first, so
// that it can be called again after an error.
type Client interface {
	Look(ctx context.Context, ask Ask) (Look, error)
	// Files returns those of the paths that exist in a tree.
	Files(ctx context.Context, treeID string, paths []string) (tree.Tree, error)
	// Blob returns an object, or false where there is none.
	Blob(ctx context.Context, id tree.BlobID) (data []byte, ok bool, err error)
	// Ahead returns the commits of head that base does not have.
	Ahead(ctx context.Context, base, head string) (Ahead, error)
	// Commit makes a commit without moving a branch.
	Commit(ctx context.Context, c Commit) (Committed, error)
	// Sign makes a commit anew that has been made, in a way that GitHub always signs,
	// where there is one: of regular files only. It leaves a branch behind that holds it,
	// called via, until Unsign. What cannot be signed wraps ErrRefused, and says why.
	Sign(ctx context.Context, c Commit, made Committed, via string) (Committed, error)
	// Unsign removes that branch.
	Unsign(ctx context.Context, via string, made Committed) error
	// Move moves a branch from one commit to another; from "" makes it. It wraps
	// ErrMoved where the branch is elsewhere, ErrRefused where a rule forbids it.
	Move(ctx context.Context, m Move) error
	OpenPullRequest(ctx context.Context, p Proposal) (PullRequest, error)
	EditPullRequest(ctx context.Context, pr PullRequest, title, body string) error
	// ClosePullRequest comments once, closes, and deletes the branch where it is
	// still at head.
	ClosePullRequest(ctx context.Context, number int, branch string, head, comment string) error
	PullRequest(ctx context.Context, number int) (PullRequest, error)
	// SetDraft makes a pull request a draft, or ready for review. It wraps
	// ErrUnsupported where this GitHub has no GraphQL: REST cannot do it.
	SetDraft(ctx context.Context, pr PullRequest, draft bool) error
	// AddLabels adds labels to a pull request.
	AddLabels(ctx context.Context, number int, labels ...string) error
	// RequestReviewers asks for reviews. Those whom GitHub refuses are left out.
	RequestReviewers(ctx context.Context, number int, r Reviewers) error
	// Review leaves a review without a verdict, once for its key.
	Review(ctx context.Context, r Review) error
	// RequiredChecks returns the checks that must succeed before a merge into a branch.
	RequiredChecks(ctx context.Context, branch string) ([]string, error)
	// AutoMerge lets GitHub merge a pull request once all that is required is there, or
	// merges it where it is already, if its branch is at head. An error that does not last
	// may pass.
	AutoMerge(ctx context.Context, pr PullRequest, head string) error
	// StopAutoMerge takes that back.
	StopAutoMerge(ctx context.Context, pr PullRequest) error
	// ChangedFiles returns the paths that a pull request changes, where one is renamed
	// both.
	ChangedFiles(ctx context.Context, number int) ([]string, error)
	// EnsureIssue opens or rewrites the one issue that a key names.
	EnsureIssue(ctx context.Context, i Issue) (number int, err error)
	// CloseIssue closes the issue that a key names, where it is open.
	CloseIssue(ctx context.Context, key, comment string) error
	// EnsureComment writes or rewrites the one comment that a key names.
	EnsureComment(ctx context.Context, number int, key, body string) error
	EnsureCheck(ctx context.Context, c Check) error
	// CancelCheck ends a check that is in progress as c says, and leaves one that is
	// completed, or not there, alone.
	CancelCheck(ctx context.Context, c Check) error
	// Folder returns every file below a folder at a commit, that of a pull request from
	// a fork included. What known has by its id is not fetched.
	Folder(ctx context.Context, commit, folder string, known map[tree.BlobID][]byte) (tree.Tree, error)
	// Level is what a person may do: admin, maintain, write, triage, read or none.
	Level(ctx context.Context, login string) (string, error)
	Settings
}

// Settings are what the steps after a repository's creation set. Each reads,
// compares and acts.
type Settings interface {
	SetTopics(ctx context.Context, topics []string) error
	GrantTeam(ctx context.Context, team, level string) error
	SetVariable(ctx context.Context, name, value string) error
	EnsureEnvironment(ctx context.Context, name string) error
	EnsureRuleset(ctx context.Context, name string) error
	// Dispatch starts a workflow, once for the repository and the inputs.
	Dispatch(ctx context.Context, repository, workflow string, inputs map[string]string) error
}

// Ask is what to look at, in one request where GitHub can.
type Ask struct {
	Ref      string   // a branch; "" is the default one
	Contents []string // paths whose content is wanted
	Branch   string   // a branch of ours, whose head and pull requests are wanted
	Facts    bool     // what inputs are inferred from is wanted too: topics and custom properties
}

// Look is what was seen. Contents that were asked for and are not in Files do not
// exist. Of a repository without a commit only Repository is known, and the error
// wraps ErrNotReady.
type Look struct {
	Repository   Repository
	Head         Head
	Files        tree.Tree
	Branch       Head          // of Ask.Branch; zero: there is none
	PullRequests []PullRequest // of Ask.Branch, the newest first
}

// Repository is what GitHub says of a repository.
type Repository struct {
	ID                           int64
	Owner, Name, DefaultBranch   string
	Description, Visibility, URL string
	Archived, Fork, IsTemplate   bool
	Closed                       string // why nothing can be written, and what to do; "": it can
	FromTemplate                 string // owner/name; "": none, or not visible
	Created                      time.Time
	Topics                       []string
	Properties                   map[string]any
}

// FullName is owner/name.
func (r Repository) FullName() string { return r.Owner + "/" + r.Name }

// closed says why nothing can be written, or "".
func (r Repository) closed() string { return r.Closed }

// Head is a commit and its tree, at a branch.
type Head struct{ Branch, Commit, Tree string }

// Commit is a commit to be made.
type Commit struct {
	Parent, Tree string // the commit to build on, and its tree
	Changes      map[string]*tree.File
	Message      string
}

// Ahead are the commits of a branch that another one does not have. Of very many only
// the first are in Commits, the oldest first.
type Ahead struct {
	Count   int
	Commits []CommitLine
}

// CommitLine is a commit in a list.
type CommitLine struct{ ID, Title, Author string }

// Committed is a commit that was made. Verified is false where GitHub did not sign
// it; Reason says why.
type Committed struct {
	ID, Tree string
	Verified bool
	Reason   string
}

// Move is a change of a branch.
type Move struct {
	Branch, From, To string
	FastForward      bool // refuse to lose commits
}

// Proposal is a pull request to be opened. Where the repository's plan has no
// drafts, an ordinary one is opened.
type Proposal struct {
	Head, Base, Title, Body string
	Draft                   bool
}

// PullRequest is one that is there.
type PullRequest struct {
	Number       int
	NodeID       string // GraphQL's name for it
	URL          string
	Title, Body  string
	Draft        bool
	Head, Base   string // branches
	HeadCommit   string
	Open, Merged bool
}

// Issue is one issue of a repository, told from others by its key.
type Issue struct{ Key, Title, Body string }

// Check is a check run, one for each key and commit.
type Check struct {
	Commit, Name, Key string
	Status            string // in_progress, completed
	Conclusion        string // success, failure, neutral, cancelled, action_required
	Title, Summary    string
	Annotations       []Annotation
}

// Annotation is a remark at a line of a file.
type Annotation struct {
	Path    string
	Line    int
	Level   string // notice, warning, failure
	Message string
}

// Record is what the fleet's memory holds of a member and a golden path.
type Record struct {
	At          Place
	GoldenPath  string
	Source      string
	Channel     string // what the member asks for, as drift.Follow.Wanted says it
	Version     string // in the lock
	Wanted      string // the newest on the channel
	State       State
	Drifted     bool
	PullRequest int    // the open one's number; 0: none
	Pushed      string // the commits that our branch may be at without a person's hand
	Refused     string // the version that a person said no to by closing its pull request
	Digest      string // of the golden path, in the lock
	Offered     string // of the golden path that our open pull request brings
	Undecided   string // the commit whose check says what is to be decided, and a digest of it; "": nothing; the check may be owed
	Held        string // digest of the golden path that waits for a window or for room; "": nothing
	HeldUntil   time.Time
	Merges      int       // the pull request that GitHub is to merge by itself; below 0: it was refused for that one
	MergesSince time.Time // since when GitHub refuses that for what may pass; zero: it does not
	Paths       []string  // that the golden path has in the member
	Scaffolded  bool      // by this App, just now
	Stuck       string    // what a person was told to repair in an issue; "": nothing
}

// State is where a member stands.
type State string

// The states.
const (
	Current  State = "current"
	Behind   State = "behind"
	Conflict State = "conflict"
	Diverged State = "diverged"
	Unknown  State = "unknown"
)

// Registry remembers the fleet. All that it holds can be read again from the
// repositories, but for refusals.
type Registry interface {
	Records(ctx context.Context, repository int64) ([]Record, error)
	Remember(ctx context.Context, r Repository, record Record) error
	Forget(ctx context.Context, repository int64, goldenPath string) error
	// Trouble returns what the log says went wrong last in a repository of which
	// there are no records; "" is nothing.
	Trouble(ctx context.Context, repository int64) (string, error)
	// Failed notes why the last work on a repository failed.
	Failed(ctx context.Context, repository int64, goldenPath string, why error) error
	// Following calls visit for each member of a golden path, or with "" of all, in
	// a fixed order. Archived members, and those of suspended installations, are left
	// out.
	Following(ctx context.Context, goldenPath string, visit func(Record) error) error
	// Claim takes a place for a member's new pull request, where the limits leave one.
	// The member must be remembered.
	Claim(ctx context.Context, r Record, l Limits) (Wait, error)
	// Settle takes steps of a repository's set-up, of which people were told that nobody
	// knows whether they are done, as done.
	Settle(ctx context.Context, repository int64) error
	// Note adds to the log of what was done.
	Note(ctx context.Context, e Event) error
}

// Limits bound our pull requests. 0 is no bound.
type Limits struct {
	Open          int // at once, over the fleet
	PerGoldenPath int // at once, of one golden path
	PerHour       int // new ones
}

// Wait says until when something has to wait, and why; zero is not at all.
type Wait struct {
	Until time.Time
	Why   string
}

// Event is something that was done.
type Event struct {
	Repository int64
	GoldenPath string
	Kind, What string
}

// Queue takes work for later.
type Queue interface {
	// Sync asks for a look at repositories; why is for people.
	Sync(ctx context.Context, why string, at ...Place) error
	// SyncAt asks for a look at a repository that is due at a time.
	SyncAt(ctx context.Context, at Place, when time.Time) error
	// Scaffold asks for a new repository to be filled.
	Scaffold(ctx context.Context, at Place) error
	// SetUp asks for the steps after a repository's creation.
	SetUp(ctx context.Context, at Place) error
	// Superseded reports whether newer work replaces the job that ctx belongs to, so
	// that a long walk may stop.
	Superseded(ctx context.Context) (bool, error)
	// Steps returns what NoteStep noted of the job that ctx belongs to, earlier runs
	// included.
	Steps(ctx context.Context) ([]Step, error)
	// NoteStep notes how far the nth of several things came that the job does.
	NoteStep(ctx context.Context, n int, s Step) error
}

// Step is how far an order came.
type Step struct {
	// Answer is what is said of it, once it is done.
	Answer string `json:"answer"`
	Done   bool   `json:"done"`
	// Branch and Commit are what it is about to move, and to where, and Then is what
	// follows: should the branch have the commit, the rest of it is that.
	Branch string `json:"branch,omitempty"`
	Commit string `json:"commit,omitempty"`
	Then   Then   `json:"then,omitempty"`
	Why    string `json:"why,omitempty"` // it is proposed
	// Lessons are what the commit teaches other members. They are noted before it is on
	// its branch, since afterwards nothing tells them.
	Lessons []Lesson `json:"lessons,omitempty"`
}

// Lesson is what people chose in conflicts with a golden path.
type Lesson struct {
	GoldenPath string         `json:"goldenPath"`
	Choices    []drift.Choice `json:"choices"`
}

// Then is what follows the commit of an order.
type Then string

// What follows.
const (
	ThenSync     Then = "sync"
	ThenScaffold Then = "scaffold"
	ThenPropose  Then = "propose" // by a pull request from the branch
	ThenIgnore   Then = "ignore"  // of the pull request that is closed
)

// Platforms opens the sources of golden paths.
type Platforms interface {
	// Open opens a source for the installation of at, as reconcile.Syncer.Open does.
	Open(ctx context.Context, at Place, location string) (reconcile.Platform, error)
	// Split parts PATH-OR-URL[@VERSION].
	Split(source string) (location, version string, err error)
	// Latest is Open after fetching what is new, and with everything that is in a
	// golden path's folder.
	Latest(ctx context.Context, at Place, location string) (Source, error)
	// History says what lies between two commits of a source, in the folders of golden
	// paths; the last of them is the one that is asked about.
	History(ctx context.Context, at Place, location string, s Span) (History, error)
}

// Span is a part of a source's history.
type Span struct {
	From, To    string // commits
	GoldenPaths []string
}

// History is what happened to golden paths in a span.
type History struct {
	Commits []CommitLine // the newest first
	// Before and After are the texts of their CHANGELOG.md; nil where there is none.
	Before, After map[string][]byte
}

// Source is a platform that can be read whole, tests among it.
type Source interface {
	reconcile.Platform
	// Whole returns all files below goldenpaths/ at a commit.
	Whole(ctx context.Context, commit string) (tree.Tree, error)
}

// Untrusted are golden paths that nobody has looked at yet, loaded and rendered where
// they can do no harm.
type Untrusted interface {
	// Problems are the mistakes in them.
	Problems() scaffold.Problems
	// Offers are those that can be read, by name. An error of their rendering wraps
	// HostileError where they are to blame.
	Offers() map[string]reconcile.Offer
	Close()
}

// HostileError says that rendering was stopped: it took too much, or ended its process.
// It comes again whenever it is tried.
type HostileError struct{ Err error }

// Error is the cause's.
func (e *HostileError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *HostileError) Unwrap() error { return e.Err }

// PersonError is an error that goes away only when a person does something. It was
// told in the repository where that is possible.
type PersonError struct{ Err error }

// Error is the cause's.
func (e *PersonError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *PersonError) Unwrap() error { return e.Err }

// PersonMustAct tells the queue that trying again is of no use.
func (e *PersonError) PersonMustAct() bool { return true }

// LaterError says that something will be there in a while.
type LaterError struct {
	Err   error
	After time.Duration
}

// Error is the cause's.
func (e *LaterError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *LaterError) Unwrap() error { return e.Err }

// TryAfter tells the queue when to try again.
func (e *LaterError) TryAfter() time.Duration { return e.After }
