package merge

// The limits that keep the time for a file within what its size allows. A hunk
// beyond one of them is not looked at by the resolver in question.
const (
	// maxPairs is how many pairs of lines a hunk may have to be aligned by their
	// likeness.
	maxPairs = 1 << 16
	// maxWords is how many words a line may have to be merged word by word.
	maxWords = 2000
	// maxHunkBytes is how long a hunk's three sides may be together.
	maxHunkBytes = 1 << 18
)

// maxLayoutWords is how many words a hunk may have for its layout to be followed
// word by word.
const maxLayoutWords = 20000
