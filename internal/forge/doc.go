// Package forge is GitHub as the rest of syncer sees it: repositories, heads,
// commits, pull requests, issues and checks, in the project's own words.
//
// An [App] holds the App's identity. Each of its installations is an
// [Installation], which has what must not be shared between customers: the
// access tokens, the cache, and the account of what GitHub lets us do in a
// minute and in an hour. A job asks an installation for a [Client] with the
// [Access] that it needs and no more, and speaks to GitHub through its methods.
//
// # What a job can rely on
//
// A write looks before it acts, and looks again where the answer was lost, so
// that repeating a job is right after every error. A branch moves only from the
// commit that the caller names ([Client.Move]). Errors have a [Kind], which says
// what to do next. Nothing here waits long: where GitHub's limits are used up, a
// call returns a [LimitError] at once, with the time to try again.
//
// # Budgets
//
// A new pull request costs one read, which many members share
// ([Client.Members]), and four writes: tree, commit, branch, pull request. One
// that is refreshed costs a read and at most four writes. Members that need
// nothing cost nothing of their own. An access token is one more request, once
// an hour for each Access.
//
// GraphQL is used to read many members at once and to move branches by
// compare-and-swap. Where it is absent or refuses, REST does the same.
package forge
