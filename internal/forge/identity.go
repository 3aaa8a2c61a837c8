package forge

import (
	"context"
	"encoding/json"
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
	var app github.App
	if _, err := a.send(ctx, "reading the App", "GET", "app", &app); err != nil {
		return Identity{}, err
	}
	id := Identity{
		ID: app.GetID(), Slug: app.GetSlug(), Name: app.GetName(), Bot: app.GetSlug() + "[bot]",
		URL: app.GetHTMLURL(), Permissions: permissions(app.Permissions), Events: app.Events,
	}
	a.mu.Lock()
	a.identity = &id
	a.mu.Unlock()
	return id, nil
}

// permissions turns go-github's struct into the names of GitHub's API.
func permissions(p *github.InstallationPermissions) map[string]string {
	m := map[string]string{}
	if data, err := json.Marshal(p); err == nil {
		_ = json.Unmarshal(data, &m) // strings by name
	}
	return m
}

// InstallationInfo is an installation as GitHub lists it.
type InstallationInfo struct {
	ID          int64
	Account     string
	AccountType string // "Organization" or "User"
	Permissions map[string]string
	Events      []string
	Suspended   bool
	// Selected is set where the owner chose repositories one by one.
	Selected bool
}

func installationInfo(i *github.Installation) InstallationInfo {
	return InstallationInfo{
		ID: i.GetID(), Account: i.GetAccount().GetLogin(), AccountType: i.GetAccount().GetType(),
		Permissions: permissions(i.Permissions), Events: i.Events,
		Suspended: i.SuspendedAt != nil, Selected: i.GetRepositorySelection() == "selected",
	}
}

// Installations lists where the App is installed, at most 5,000.
func (a *App) Installations(ctx context.Context) ([]InstallationInfo, error) {
	var all []InstallationInfo
	for page := 1; page != 0 && page <= maxPages; {
		var list []*github.Installation
		resp, err := a.send(ctx, "listing the App's installations", "GET", "app/installations?per_page=100&page="+strconv.Itoa(page), &list)
		if err != nil {
			return nil, err
		}
		for _, i := range list {
			all = append(all, installationInfo(i))
		}
		page = resp.NextPage
	}
	return all, nil
}

// InstallationInfo reads one installation, with the permissions that were granted.
func (a *App) InstallationInfo(ctx context.Context, id int64) (InstallationInfo, error) {
	var i github.Installation
	_, err := a.send(ctx, fmt.Sprintf("reading installation %d", id), "GET", fmt.Sprintf("app/installations/%d", id), &i)
	return installationInfo(&i), err
}

// FindInstallation returns the installation that has a repository; [NotFound]
// where the App is not installed there.
func (a *App) FindInstallation(ctx context.Context, n Name) (InstallationInfo, error) {
	var i github.Installation
	_, err := a.send(ctx, "finding the installation of "+n.String(), "GET", n.path("installation"), &i)
	return installationInfo(&i), err
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
