package localhub

import (
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// onIssue runs an action on an issue or pull request.
func (p *Person) onIssue(fullName, role string, number int, action func(r *repository, i *issue) error) error {
	return p.do(fullName, role, func(r *repository) error {
		i := r.issues[number]
		if i == nil {
			return fmt.Errorf("localhub: no issue or pull request %d in %s", number, fullName)
		}
		return action(r, i)
	})
}

func (p *Person) onPull(fullName, role string, number int, action func(r *repository, i *issue) error) error {
	return p.onIssue(fullName, role, number, func(r *repository, i *issue) error {
		if i.pull == nil {
			return fmt.Errorf("localhub: %d in %s is not a pull request", number, fullName)
		}
		return action(r, i)
	})
}

// OpenPull opens a pull request from head to base and returns its number.
func (p *Person) OpenPull(fullName, head, base, title, body string) (number int, err error) {
	err = p.do(fullName, "read", func(r *repository) error {
		i, bad := p.hub.openPull(r, title, body, head, base, false, p.actor())
		if bad != nil {
			return failure(bad)
		}
		number = i.number
		return nil
	})
	return number, err
}

// MarkReady presses the button “Ready for review” of a draft.
func (p *Person) MarkReady(fullName string, number int) error {
	return p.onPull(fullName, "write", number, func(r *repository, i *issue) error {
		p.hub.redraft(r, i, false, p.actor())
		return nil
	})
}

// MergePull merges a pull request; method is merge, squash or rebase.
func (p *Person) MergePull(fullName string, number int, method string) error {
	return p.onPull(fullName, "write", number, func(r *repository, i *issue) error {
		_, bad := p.hub.merge(r, i, mergeWish{method: method}, p.actor())
		return failure(bad)
	})
}

// Review reviews a pull request; state is APPROVED, CHANGES_REQUESTED or COMMENTED.
func (p *Person) Review(fullName string, number int, state, body string) error {
	return p.onPull(fullName, "read", number, func(r *repository, i *issue) error {
		if i.author == p.account && state != "COMMENTED" {
			return errors.New("localhub: nobody can approve their own pull request")
		}
		v := &review{id: p.hub.state.id(), author: p.account, state: state, body: body, commit: i.pull.headID, at: p.hub.now()}
		p.hub.addReview(r, i, v, p.actor())
		p.hub.mergeWaiting(r, i.pull.headID)
		return nil
	})
}

// OpenIssue opens an issue and returns its number.
func (p *Person) OpenIssue(fullName, title, body string) (number int, err error) {
	err = p.do(fullName, "read", func(r *repository) error {
		if bad := checkText("Issue", title, body); bad != nil {
			return failure(bad)
		}
		i := p.hub.newIssue(r, title, body, p.actor())
		number = i.number
		p.hub.issueEvent(r, i, "opened", p.actor(), nil)
		return nil
	})
	return number, err
}

// Comment comments on an issue or pull request and returns the comment's id.
func (p *Person) Comment(fullName string, number int, body string) (id int64, err error) {
	err = p.onIssue(fullName, "read", number, func(r *repository, i *issue) error {
		id = p.hub.addComment(r, i, body, p.actor()).id
		return nil
	})
	return id, err
}

// EditComment changes a comment, for example to tick a checkbox.
func (p *Person) EditComment(fullName string, id int64, body string) error {
	return p.do(fullName, "write", func(r *repository) error {
		for _, i := range r.issues {
			for _, k := range i.comments {
				if k.id == id {
					p.hub.editComment(r, k, body, p.actor())
					return nil
				}
			}
		}
		return fmt.Errorf("localhub: no comment %d in %s", id, fullName)
	})
}

// Edit changes the title and body of an issue or pull request; empty leaves as is.
func (p *Person) Edit(fullName string, number int, title, body string) error {
	return p.onIssue(fullName, "write", number, func(r *repository, i *issue) error {
		p.hub.editIssue(r, i, optional[string]{set: title != "", value: title}, optional[string]{set: body != "", value: body}, p.actor())
		return nil
	})
}

// Close closes an issue or pull request.
func (p *Person) Close(fullName string, number int) error {
	return p.setState(fullName, number, "closed")
}

// Reopen opens it again.
func (p *Person) Reopen(fullName string, number int) error {
	return p.setState(fullName, number, "open")
}

func (p *Person) setState(fullName string, number int, state string) error {
	return p.onIssue(fullName, "write", number, func(r *repository, i *issue) error {
		return failure(p.hub.setState(r, i, state, "", p.actor()))
	})
}

// SetLabels gives an issue or pull request exactly these labels.
func (p *Person) SetLabels(fullName string, number int, names ...string) error {
	return p.onIssue(fullName, "write", number, func(r *repository, i *issue) error {
		var list []*label
		for _, name := range names {
			list = append(list, p.hub.label(r, name))
		}
		p.hub.setLabels(r, i, list, p.actor())
		return nil
	})
}

// RerequestCheck presses "Re-run" on a check run.
func (p *Person) RerequestCheck(fullName string, id int64) error {
	return p.onCheck(fullName, id, "rerequested", nil)
}

// PressAction presses one of a check run's buttons.
func (p *Person) PressAction(fullName string, id int64, identifier string) error {
	return p.onCheck(fullName, id, "requested_action", obj{"requested_action": obj{"identifier": identifier}})
}

func (p *Person) onCheck(fullName string, id int64, action string, more obj) error {
	return p.do(fullName, "write", func(r *repository) error {
		k := r.checks[id]
		if k == nil {
			return fmt.Errorf("localhub: no check run %d in %s", id, fullName)
		}
		p.hub.checkEvent(r, k, action, p.actor(), more)
		return nil
	})
}

// RerequestSuite presses "Re-run all checks" of an App on a commit.
func (p *Person) RerequestSuite(fullName, commit string, app *App) error {
	return p.do(fullName, "write", func(r *repository) error {
		s := p.hub.suite(r, app, commit)
		p.hub.emit(event{name: "check_suite", action: "rerequested", repo: r, by: p.actor(), needs: "checks", only: app, body: obj{"check_suite": p.hub.suiteJSON(r, s)}})
		return nil
	})
}

// CompleteCheck reports a check as some CI would: a run of another App named ci on a
// commit.
func (p *Person) CompleteCheck(fullName, commit, name, conclusion string) error {
	return p.do(fullName, "write", func(r *repository) error {
		if r.store.kind(plumbing.NewHash(commit)) != "commit" {
			return fmt.Errorf("localhub: no commit %s in %s", commit, fullName)
		}
		app := p.hub.ci()
		k := &checkRun{id: p.hub.state.id(), app: app, name: name, head: commit, status: "completed", conclusion: conclusion, started: p.hub.now(), completed: p.hub.now()}
		k.suite = p.hub.suite(r, app, commit)
		r.checks[k.id] = k
		p.hub.checkEvent(r, k, "completed", &actor{app: app, user: app.bot}, nil)
		p.hub.mergeWaiting(r, plumbing.NewHash(commit))
		return nil
	})
}

// ci is an App that stands for other people's CI; it has no key and no webhook.
func (h *Hub) ci() *App {
	for _, a := range h.state.apps {
		if a.slug == "ci" {
			return a
		}
	}
	return h.addApp(AppOptions{Owner: "ci", Name: "ci"})
}
