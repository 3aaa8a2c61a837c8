package localhub

import (
	"fmt"
	"slices"
	"time"
)

type checkOutput struct {
	Title       *string      `json:"title"`
	Summary     *string      `json:"summary"`
	Text        *string      `json:"text"`
	Annotations []annotation `json:"annotations"`
}

type annotation struct {
	Path        string `json:"path"`
	StartLine   int    `json:"start_line"`
	EndLine     int    `json:"end_line"`
	StartColumn *int   `json:"start_column"`
	EndColumn   *int   `json:"end_column"`
	Level       string `json:"annotation_level"`
	Message     string `json:"message"`
	Title       string `json:"title"`
	RawDetails  string `json:"raw_details"`
}

type checkAction struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Identifier  string `json:"identifier"`
}

// checkIn is a check run as POST and PATCH take it.
type checkIn struct {
	Name       optional[string]        `json:"name"`
	HeadSHA    string                  `json:"head_sha"`
	Details    optional[string]        `json:"details_url"`
	External   optional[string]        `json:"external_id"`
	Status     optional[string]        `json:"status"`
	Conclusion optional[string]        `json:"conclusion"`
	Started    optional[time.Time]     `json:"started_at"`
	Completed  optional[time.Time]     `json:"completed_at"`
	Output     *checkOutput            `json:"output"`
	Actions    optional[[]checkAction] `json:"actions"`
}

func (in checkIn) checkOutput(refused func(field, message string) *answer) *answer {
	o := in.Output
	if o == nil {
		return nil
	}
	switch {
	case o.Summary == nil:
		return refused("output", "\"summary\" wasn't supplied.")
	case len(*o.Summary) > checkText65535:
		return refused("output.summary", fmt.Sprintf("Only %d characters are allowed; %d were supplied.", checkText65535, len(*o.Summary)))
	case o.Text != nil && len(*o.Text) > checkText65535:
		return refused("output.text", fmt.Sprintf("Only %d characters are allowed; %d were supplied.", checkText65535, len(*o.Text)))
	case len(o.Annotations) > annotationsMost:
		return refused("output.annotations", fmt.Sprintf("No more than %d items are allowed; %d were supplied.", annotationsMost, len(o.Annotations)))
	}
	for _, a := range o.Annotations {
		if a.Path == "" || a.StartLine < 1 || a.EndLine < a.StartLine || a.Message == "" || !slices.Contains(checkLevels, a.Level) {
			return refused("output.annotations", "path, start_line, end_line, annotation_level and message are needed, and end_line is not before start_line.")
		}
		if (a.StartColumn != nil || a.EndColumn != nil) && a.StartLine != a.EndLine {
			return refused("output.annotations", "start_column and end_column are only for annotations on one line.")
		}
	}
	return nil
}

// into changes a check run.
func (in checkIn) into(k *checkRun, now time.Time) {
	in.Name.into(&k.name)
	in.Details.into(&k.details)
	in.External.into(&k.external)
	in.Status.into(&k.status)
	in.Started.into(&k.started)
	in.Completed.into(&k.completed)
	in.Actions.into(&k.actions)
	if in.Conclusion.set {
		k.conclusion, k.status = in.Conclusion.value, "completed"
	}
	if k.status == "completed" && k.completed.IsZero() {
		k.completed = now
	}
	if k.status != "completed" {
		k.conclusion, k.completed = "", time.Time{}
	}
	if o := in.Output; o != nil {
		if o.Title != nil {
			k.output.Title = o.Title
		}
		k.output.Summary = o.Summary
		if o.Text != nil {
			k.output.Text = o.Text
		}
		k.annotations = append(k.annotations, o.Annotations...) // PATCH adds to what is there
	}
}
