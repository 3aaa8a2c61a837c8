// Package localhub is a GitHub that runs in this process: for the demo, for evaluation
// without an account, and for tests.
//
// A [Hub] serves, on a loopback address, the REST routes that the product needs (see
// [Routes]; each is checked against GitHub's OpenAPI description in tests), a part of
// GraphQL, git over HTTP for real bare repositories on disk, and the page that
// registers an App from a manifest. It sends signed webhooks and keeps their log.
//
//	hub, err := localhub.New(localhub.Options{})
//	hub.Organization("acme").Add("admin", "alice")
//	alice := hub.Person("alice")
//	app, err := hub.App(localhub.AppOptions{Owner: "acme", WebhookURL: url, WebhookSecret: secret, Permissions: …, Events: …})
//	err = alice.CreateRepository("acme/payments", localhub.NewRepository{Files: files})
//	installation, err := alice.Install(app, "acme")
//
// What people do, they do through a [Person], with the effects and events that it has
// on GitHub. What an App does, it does over HTTP, with a JWT or an installation token,
// and is held to its permissions, to rulesets and branch protection, to the limits of
// sizes and rates. Where it is known how GitHub refuses, the refusal is the same, word
// for word.
//
// A test can look at what is there ([Hub.Pulls], [Hub.Files] and the like), count what
// was asked ([Hub.Requests], [Count]), let requests fail ([Options].Fault), move the
// clock ([Options].Now), and hold back a template's content or deliveries.
//
// Reading the code: hub.go makes and serves; serve.go takes a request through
// authentication (auth.go), limits (limits.go), permissions and its handler; route.go
// has the table of routes; events.go tells Apps and deliver.go sends; store.go and
// trees.go are git; rules.go and enforce.go say what may move.
//
// Everything but git objects is in memory, behind one lock.
package localhub
