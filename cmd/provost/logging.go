package main

import (
	"io"
	"log/slog"
)

// logFlags say what the server logs and how.
type logFlags struct {
	LogFormat string `enum:"text,json" default:"text" help:"Form of the log on standard error: ${enum}."`
	LogLevel  string `enum:"debug,info,warn,error" default:"info" help:"Least level that is logged: ${enum}."`
}

// logger makes the logger that the flags ask for.
func (f logFlags) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if f.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
