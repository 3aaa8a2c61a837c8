package walks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goldenpaths/syncer/internal/drift"
)

// Order is a comment that may give orders.
type Order struct {
	Number  int   // of the issue or pull request
	Comment int64 // 0: the issue's own text, or a box
	Text    string
	Author  string
}

// mayWrite are the levels at which somebody may give orders.
var mayWrite = []string{"admin", "maintain", "write"}

const help = `| order | what it does |
|---|---|
| ` + "`/syncer sync`" + ` or ` + "`retry`" + ` | looks again |
| ` + "`/syncer rebase`" + ` | looks again, and builds this branch on the newest commit of the default branch where nobody else has committed to it |
| ` + "`/syncer recreate [--force]`" + ` | builds this branch anew from the default branch; with --force also where other commits on it go by that |
| ` + "`/syncer take theirs PATH`" + `, ` + "`take ours PATH`" + `, ` + "`take suggested PATH`" + ` | decides the conflicts in a file |
| ` + "`/syncer refuse PATH`" + ` | takes back what was suggested and applied in a file |
| ` + "`/syncer keep PATH [until YYYY-MM-DD] because REASON`" + ` | leaves files as they are |
| ` + "`/syncer ignore`" + ` | closes this pull request; the next version comes again |
| ` + "`/syncer pin [VERSION] [until YYYY-MM-DD]`" + `, ` + "`unpin`" + ` | stays at a version, without one at the version that is here now |
| ` + "`/syncer set NAME=VALUE …`" + ` | answers what a new repository is asked |
| ` + "`/syncer setup`" + ` | does the steps after a repository's creation again |
| ` + "`/syncer forget`" + ` | forgets what other repositories learned from how conflicts were resolved in this one |

A path with spaces goes between quotes.
`

// ordered is somebody's order being obeyed.
type ordered struct {
	*Walks
	client Client
	at     Place
	number int  // of the issue or pull request
	n      int  // which of the orders is obeyed
	step   Step // how far it came
	moved  bool // its commit is on its branch
}

// Command does what a comment asks for, and answers each comment by one of its own.
// Lines that begin with /syncer are orders; who gives them must be allowed to write.
func (w *Walks) Command(ctx context.Context, at Place, o Order) error {
	orders := ordersOf(o.Text, w.Name)
	if len(orders) == 0 {
		return nil
	}
	d := &ordered{Walks: w, client: w.Hub.Client(at, toWrite, true), at: at, number: o.Number}
	key := fmt.Sprintf("answer %d", o.Comment)
	if may, err := d.allowed(ctx, o.Author); !may || err != nil {
		return errors.Join(err, d.say(ctx, key, err == nil, notAllowed))
	}
	answers, err := d.all(ctx, len(orders), func(n int) (string, error) { return d.obey(ctx, orders[n]) })
	if err != nil {
		return err
	}
	return d.say(ctx, key, true, strings.Join(answers, "\n\n"))
}

const notAllowed = "Only somebody who may push to this repository can give orders here."

// nothing answers an order that was not obeyed.
func nothing(why error) string { return "Nothing was changed:\n\n" + fenced(why.Error()) }

func (d *ordered) allowed(ctx context.Context, login string) (bool, error) {
	level, err := d.client.Level(ctx, login)
	return slices.Contains(mayWrite, level), err
}

// say answers, if something is to be said.
func (d *ordered) say(ctx context.Context, key string, something bool, text string) error {
	if !something || text == "" {
		return nil
	}
	return d.client.EnsureComment(ctx, d.number, key, text)
}

// ordersOf returns the words of each line that is an order; it begins as package
// webhooks has it, with /syncer, /goldenpath or the App's name after an @.
func ordersOf(text, name string) [][]string {
	var orders [][]string
	for line := range strings.Lines(text) {
		words := wordsOf(line)
		if len(words) == 0 {
			continue
		}
		switch first := strings.ToLower(words[0]); {
		case first == "/syncer", first == "/goldenpath", name != "" && first == "@"+strings.ToLower(name):
			orders = append(orders, words[1:])
		}
	}
	return orders
}

// wordsOf splits a line at spaces, but for those between quotes or backquotes.
func wordsOf(line string) []string {
	var words []string
	var word strings.Builder
	var quote rune
	began := false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '`') && !began:
			quote, began = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n' || r == '\r'):
			if began {
				words = append(words, word.String())
			}
			word.Reset()
			began = false
		default:
			word.WriteRune(r)
			began = true
		}
	}
	if began {
		words = append(words, word.String())
	}
	return words
}

// obey does one order and returns the answer. The error is for what may be tried
// again; what the person got wrong is an answer.
func (d *ordered) obey(ctx context.Context, words []string) (string, error) {
	verb := "help"
	if len(words) > 0 {
		verb, words = strings.ToLower(words[0]), words[1:]
	}
	switch {
	case verb == "sync" && len(words) == 0, verb == "retry" && len(words) == 0:
		return d.lookAgain(ctx, "")
	case verb == "rebase" && len(words) == 0:
		return d.rebase(ctx)
	case verb == "recreate" && (len(words) == 0 || len(words) == 1 && words[0] == "--force"):
		return d.recreate(ctx, len(words) == 1)
	case verb == "setup" && len(words) == 0:
		return d.setUpAgain(ctx)
	case verb == "set" && len(words) > 0:
		return d.set(ctx, words)
	case verb == "take" && len(words) == 2 && isSide(words[0]):
		return d.take(ctx, words[1:], drift.Side(words[0]))
	case verb == "refuse" && len(words) == 1:
		return d.refuse(ctx, words)
	case verb == "forget" && len(words) == 0:
		return d.forgetLearned(ctx)
	case verb == "keep" && len(words) > 0:
		return d.keep(ctx, words)
	case verb == "ignore" && len(words) == 0:
		return d.ignore(ctx)
	case verb == "pin":
		return d.pin(ctx, words)
	case verb == "unpin" && len(words) == 0:
		return d.unpin(ctx)
	case verb == "help":
		return help, nil
	}
	return fmt.Sprintf("%s is not an order that syncer knows.\n\n%s", code("/syncer "+strings.Join(append([]string{verb}, words...), " ")), help), nil
}

// setUpAgain has the steps after creation done again. Who orders that has seen to what
// only a person could.
func (d *ordered) setUpAgain(ctx context.Context) (string, error) {
	if err := d.Registry.Settle(ctx, d.at.Repository); err != nil {
		return "", err
	}
	return "The set-up's steps are done again.", d.Queue.SetUp(ctx, d.at)
}

// Ticked does what the boxes ask for that somebody ticked in the description of a
// pull request of ours.
func (w *Walks) Ticked(ctx context.Context, at Place, number int, lines []string, by string) error {
	var paths []string
	recreate := false
	for _, line := range lines {
		if path, ok := takenPath(line); ok {
			paths = append(paths, path)
		}
		recreate = recreate || strings.Contains(line, recreateMark)
	}
	suggested, refused := suggestedPaths(lines, paths), refusedPaths(lines)
	if len(paths)+len(suggested)+len(refused) == 0 && !recreate {
		return nil
	}
	d := &ordered{Walks: w, client: w.Hub.Client(at, toWrite, true), at: at, number: number}
	if may, err := d.allowed(ctx, by); !may || err != nil {
		return errors.Join(err, d.say(ctx, "boxes", err == nil, notAllowed))
	}
	var orders []func() (string, error)
	if recreate {
		orders = append(orders, func() (string, error) { return d.recreate(ctx, false) })
	}
	if len(suggested) > 0 {
		orders = append(orders, func() (string, error) { return d.take(ctx, suggested, drift.Suggested) })
	}
	if len(refused) > 0 {
		orders = append(orders, func() (string, error) { return d.refuse(ctx, refused) })
	}
	if len(paths) > 0 {
		orders = append(orders, func() (string, error) { return d.take(ctx, paths, drift.Theirs) })
	}
	answers, err := d.all(ctx, len(orders), func(n int) (string, error) { return orders[n]() })
	if err != nil {
		return err
	}
	return d.say(ctx, "boxes", true, strings.Join(answers, "\n\n"))
}

// until takes "until YYYY-MM-DD" from words, if it is at their beginning.
func (d *ordered) until(words []string) (day string, rest []string, wrong error) {
	if len(words) == 0 || strings.ToLower(words[0]) != "until" {
		return "", words, nil
	}
	if len(words) < 2 {
		return "", nil, errors.New("a day is missing behind until; write it as 2027-03-31")
	}
	if _, err := time.Parse(time.DateOnly, words[1]); err != nil {
		return "", nil, fmt.Errorf("%q is not a day; write it as 2027-03-31", words[1])
	}
	if today := d.Now().UTC().Format(time.DateOnly); words[1] < today {
		return "", nil, fmt.Errorf("%s is over; today is %s", words[1], today)
	}
	return words[1], words[2:], nil
}

// lookAgain syncs, and says where the repository stands then.
func (d *ordered) lookAgain(ctx context.Context, rebuild string) (string, error) {
	if err := d.sync(ctx, d.at, wish{rebuild: rebuild, byPerson: true}); err != nil {
		return "", err
	}
	records, err := d.Registry.Records(ctx, d.at.Repository)
	if err != nil {
		return "", err
	}
	if len(records) == 0 {
		return "This repository has no golden path yet.", nil
	}
	var lines []string
	for _, r := range records {
		lines = append(lines, "- "+standing(r))
	}
	return "Looked again:\n\n" + strings.Join(lines, "\n"), nil
}

// standing says in a sentence where a member stands.
func standing(r Record) string {
	name, wanted := "**"+r.GoldenPath+"**", plain(r.Wanted)
	switch {
	case r.PullRequest != 0 && r.decides():
		return fmt.Sprintf("%s: #%d brings %s, and waits for a decision.", name, r.PullRequest, wanted)
	case r.PullRequest != 0:
		return fmt.Sprintf("%s: #%d brings %s.", name, r.PullRequest, wanted)
	case r.Refused != "" && r.State != Current:
		return fmt.Sprintf("%s: %s was refused; the next version comes again.", name, plain(r.Refused))
	case r.State == Current:
		return fmt.Sprintf("%s: this repository has %s.", name, wanted)
	}
	return fmt.Sprintf("%s: %s is not here yet.", name, wanted)
}
