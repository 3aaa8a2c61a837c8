package forge

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/go-github/v60/github"
)

// Identity is what GitHub says the App is.
type Identity struct {
	ID          int64
	Slug        string // in addresses: github.com/apps/<slug>
	Name        string
	Bot         string // the login under which it acts: "<slug>[bot]"
	URL         string
	Permissions map[string]string // what it asks owners for
	Events      []string
}

// Identity asks GitHub who the App is, once.
func (a *App) Identity(ctx context.Context) (Identity, error) {
	a.mu.Lock()
	known := a.identity
	a.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	var app struct {
		ID          int64             `json:"id"`
		Slug        string            `json:"slug"`
		Name        string            `json:"name"`
		URL         string            `json:"html_url"`
		Permissions map[string]string `json:"permissions"`
		Events      []string          `json:"events"`
	}
	if _, err := a.send(ctx, "reading the App", "GET", "app", &app); err != nil {
		return Identity{}, err
	}
	id := Identity{ID: app.ID, Slug: app.Slug, Name: app.Name, Bot: app.Slug + "[bot]", URL: app.URL, Permissions: app.Permissions, Events: app.Events}
	a.mu.Lock()
	a.identity = &id
	a.mu.Unlock()
	return id, nil
}

// InstallationInfo is an installation as GitHub lists it.
type InstallationInfo struct {
	ID          int64
	Account     string
	AccountID   int64
	AccountType string // "Organization" or "User"
	Permissions map[string]string
	Events      []string
	Suspended   time.Time // zero: it is not
	// Selected is set where the owner chose repositories one by one.
	Selected bool
}

// installation is an installation in JSON. go-github's has a field for each permission
// that it knows, and drops the others.
type installation struct {
	ID      int64 `json:"id"`
	Account struct {
		Login string `json:"login"`
		ID    int64  `json:"id"`
		Type  string `json:"type"`
	} `json:"account"`
	Permissions map[string]string `json:"permissions"`
	Events      []string          `json:"events"`
	Suspended   time.Time         `json:"suspended_at"`
	Selection   string            `json:"repository_selection"`
}

func (i installation) info() InstallationInfo {
	return InstallationInfo{
		ID: i.ID, Account: i.Account.Login, AccountID: i.Account.ID, AccountType: i.Account.Type,
		Permissions: i.Permissions, Events: i.Events, Suspended: i.Suspended, Selected: i.Selection == "selected",
	}
}

// Installations lists where the App is installed, at most 5,000.
func (a *App) Installations(ctx context.Context) ([]InstallationInfo, error) {
	var all []InstallationInfo
	for page := 1; page != 0 && page <= maxPages; {
		var list []installation
		resp, err := a.send(ctx, "listing the App's installations", "GET", "app/installations?per_page=100&page="+strconv.Itoa(page), &list)
		if err != nil {
			return nil, err
		}
		for _, i := range list {
			all = append(all, i.info())
		}
		page = resp.NextPage
	}
	return all, nil
}

// InstallationInfo reads one installation, with the permissions that were granted.
func (a *App) InstallationInfo(ctx context.Context, id int64) (InstallationInfo, error) {
	var i installation
	_, err := a.send(ctx, fmt.Sprintf("reading installation %d", id), "GET", fmt.Sprintf("app/installations/%d", id), &i)
	return i.info(), err
}

// FindInstallation returns the installation that has a repository; [NotFound]
// where the App is not installed there.
func (a *App) FindInstallation(ctx context.Context, n Name) (InstallationInfo, error) {
	var i installation
	_, err := a.send(ctx, "finding the installation of "+n.String(), "GET", n.path("installation"), &i)
	return i.info(), err
}

// Delivery is one webhook request as GitHub remembers it, for three days.
type Delivery struct {
	ID             int64
	GUID           string // the same for redeliveries
	Event, Action  string
	Delivered      time.Time
	OK             bool
	StatusCode     int
	Redelivery     bool
	InstallationID int64
	RepositoryID   int64
}

// Deliveries lists the App's deliveries since a time, newest first, at most 5,000.
func (a *App) Deliveries(ctx context.Context, since time.Time) ([]Delivery, error) {
	var all []Delivery
	cursor := ""
	for range maxPages {
		var list []*github.HookDelivery
		resp, err := a.send(ctx, "listing the App's deliveries", "GET", "app/hook/deliveries?per_page=100"+cursor, &list)
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			if d.GetDeliveredAt().Before(since) {
				return all, nil
			}
			all = append(all, Delivery{
				ID: d.GetID(), GUID: d.GetGUID(), Event: d.GetEvent(), Action: d.GetAction(),
				Delivered: d.GetDeliveredAt().Time, OK: d.GetStatusCode() >= 200 && d.GetStatusCode() < 300,
				StatusCode: d.GetStatusCode(), Redelivery: d.GetRedelivery(),
				InstallationID: d.GetInstallationID(), RepositoryID: d.GetRepositoryID(),
			})
		}
		if resp.Cursor == "" {
			return all, nil
		}
		cursor = "&cursor=" + resp.Cursor
	}
	return all, nil
}

// Failed returns those of the deliveries that were never answered well, each once:
// the newest attempt of every GUID whose attempts all failed.
func Failed(list []Delivery) []Delivery {
	ok := map[string]bool{}
	for _, d := range list {
		ok[d.GUID] = ok[d.GUID] || d.OK
	}
	var failed []Delivery
	for _, d := range list {
		if !ok[d.GUID] {
			ok[d.GUID] = true
			failed = append(failed, d)
		}
	}
	return failed
}

// Redeliver asks GitHub to send a delivery again, with the same GUID.
func (a *App) Redeliver(ctx context.Context, id int64) error {
	_, err := a.send(ctx, fmt.Sprintf("redelivering %d", id), "POST", fmt.Sprintf("app/hook/deliveries/%d/attempts", id), nil)
	return err
}
