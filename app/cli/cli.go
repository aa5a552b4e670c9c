// SPDX-License-Identifier: AGPL-3.0-or-later

// Package cli is the command line: one struct a command, what it prints and its exit code. Only
// main imports it.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"shoal/app/config"
	"shoal/app/core"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Env is what a command sees of the process that was started, which need not be the one it runs in.
type Env struct {
	Args           []string // after the program's name
	Stdout, Stderr io.Writer
	// Variables are the environment's SHOAL_* variables.
	Variables map[string]string
	Cwd       string
	// Terminal says that stderr is one.
	Terminal bool
	// Stdin is the terminal that questions are answered on; nil where nobody is there.
	Stdin io.Reader
	// App is the program that holds the data folder, where this process does; nil elsewhere.
	App *core.App
}

// commands are the commands and the flags that all of them have.
type commands struct {
	Data     string `help:"Data folder. Default: the platform's own." placeholder:"DIR"`
	Config   string `help:"Settings file (TOML). Default: config.toml in --data, or the platform's own." placeholder:"FILE"`
	LogLevel string `help:"What is logged to stderr: debug, info, warn or error." enum:"debug,info,warn,error" default:"warn"`
	JSON     bool   `name:"json" help:"Print facts as JSON, one object a line."`

	Window    windowCommand    `cmd:"" default:"withargs" help:"Open the window (default command)."`
	Serve     serveCommand     `cmd:"" help:"Be an instance, without a window, until stopped."`
	Publish   publishCommand   `cmd:"" help:"Publish a video on this machine's instance."`
	Watch     watchCommand     `cmd:"" help:"Watch a video in the window, or stream it without one."`
	Seed      seedCommand      `cmd:"" help:"Co-seed videos or channels, without playing, until stopped."`
	Support   supportCommand   `cmd:"" help:"Support a creator: hold the newest or rarest videos of a channel, an account or an instance."`
	Pin       pinCommand       `cmd:"" help:"Keep a video: it is never deleted to make room."`
	Unpin     unpinCommand     `cmd:"" help:"Let a pinned video be deleted again when room is needed."`
	Edit      editCommand      `cmd:"" help:"Change a video of this machine's instance."`
	Delete    deleteCommand    `cmd:"" help:"Delete a video of the instance, or a comment."`
	Like      likeCommand      `cmd:"" help:"Like a video, as an account of the instance."`
	Dislike   dislikeCommand   `cmd:"" help:"Dislike a video, as an account of the instance."`
	Unrate    unrateCommand    `cmd:"" help:"Take a like or dislike back."`
	Comment   commentCommand   `cmd:"" help:"Comment on a video, as an account of the instance."`
	Comments  commentsCommand  `cmd:"" help:"List the comments on a video."`
	Videos    videosCommand    `cmd:"" help:"List the videos that the instance knows."`
	Follow    followCommand    `cmd:"" help:"Follow another instance, an account or a channel."`
	Unfollow  unfollowCommand  `cmd:"" help:"End a follow."`
	Following followingCommand `cmd:"" help:"List whom the instance follows."`
	Followers followersCommand `cmd:"" help:"List who follows the instance."`
	Approve   approveCommand   `cmd:"" help:"Accept a follower."`
	Reject    rejectCommand    `cmd:"" help:"Turn a follower away."`
	Policy    policyCommand    `cmd:"" help:"Show or change how follows are answered."`
	Blacklist blacklistCommand `cmd:"" help:"Keep the hosts that are never followed back."`
	Block     blockCommand     `cmd:"" help:"Block a host in full."`
	Unblock   unblockCommand   `cmd:"" help:"Let a blocked host in again."`
	Blocks    blocksCommand    `cmd:"" help:"List the blocked hosts; read and write block lists."`
	Queue     queueCommand     `cmd:"" help:"Show what waits to be sent to other instances."`
	Refused   refusedCommand   `cmd:"" help:"Show what came in and was refused."`
	Account   accountCommand   `cmd:"" help:"Keep the instance's accounts."`
	Channel   channelCommand   `cmd:"" help:"Keep the instance's channels."`

	Status    statusCommand    `cmd:"" help:"Show the swarms held, what waits to be sent, and the disk used."`
	Demo      demoCommand      `cmd:"" help:"Show the main job on this machine: publish, watch over WebRTC, pass on."`
	Signature signatureCommand `cmd:"" help:"Check the signatures of captured posts."`
	Version   versionCommand   `cmd:"" help:"Show the versions of Shoal and of what it uses."`
}

// command is what every command's struct does.
type command interface {
	run(ctx context.Context, r *run) error
}

// forwarded is a command that runs in the process that holds the data folder, where there is one.
type forwarded interface {
	command
	// forward says whether this call does.
	forward(r *run) bool
}

// preparing is a command with something to do in the process that was started, before it runs.
type preparing interface {
	command
	prepare(ctx context.Context, r *run) error
}

// run is one call of a command.
type run struct {
	env   Env
	flags *commands
	paths config.Paths
	store *config.Store
	out   *output
}

// Main runs the command line of this process and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	cwd, err := os.Getwd()
	if err != nil {
		cwd = "."
	}
	env := Env{
		Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr, Cwd: cwd,
		Variables: shoalVariables(os.Environ()), Terminal: isTerminal(os.Stderr),
	}
	if env.Terminal && isTerminal(os.Stdin) {
		env.Stdin = os.Stdin
	}
	return Run(ctx, env)
}

// shoalVariables picks the program's own variables.
func shoalVariables(environ []string) map[string]string {
	own := make(map[string]string)
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok && strings.HasPrefix(name, "SHOAL_") {
			own[name] = value
		}
	}
	return own
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// Run runs one command and returns its exit code. When ctx ends the command flushes and ends.
func Run(ctx context.Context, env Env) int {
	var flags commands
	out := &output{stdout: env.Stdout, stderr: env.Stderr, json: wantsJSON(env), terminal: env.Terminal}
	selected, helped, err := parse(&flags, env)
	if helped {
		return exitDone
	}
	if err != nil {
		return out.usage(err)
	}
	out.json = flags.JSON
	r := &run{env: env, flags: &flags, out: out}
	if err := r.locate(); err != nil {
		return out.fail(err)
	}
	code, err := r.dispatch(ctx, selected)
	var usage *usageError
	if errors.As(err, &usage) {
		return out.usage(err)
	}
	if err != nil {
		return out.fail(err)
	}
	return code
}

// wantsJSON guesses before the arguments are parsed, for the errors of that.
func wantsJSON(env Env) bool {
	for _, arg := range env.Args {
		if arg == "--" {
			break
		}
		if arg == "--json" {
			return true
		}
	}
	v := env.Variables["SHOAL_JSON"]
	return v == "1" || strings.EqualFold(v, "true")
}

// parse reads the arguments. helped is whether help was asked for and printed.
func parse(flags *commands, env Env) (selected command, helped bool, err error) {
	parser, err := kong.New(flags,
		kong.Name("shoal"),
		kong.Description("Watch and publish PeerTube videos, and seed them together. Each flag can also be given in the environment: --log-level as SHOAL_LOG_LEVEL. Without a command: shoal [URL|MAGNET|FILE] opens the window."),
		kong.Writers(env.Stdout, env.Stderr),
		kong.Exit(func(int) { helped = true }),
		kong.Resolvers(environment(env.Variables)),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	)
	if err != nil {
		return nil, false, fmt.Errorf("building the command line: %w", err)
	}
	kctx, err := parser.Parse(env.Args)
	if helped {
		return nil, true, nil
	}
	if err != nil {
		var wrong *kong.ParseError
		if errors.As(err, &wrong) && wrong.Context != nil {
			if unknown := unknownCommand(parser.Model, firstWord(wrong.Context), env.Cwd); unknown != nil {
				return nil, false, unknown
			}
		}
		return nil, false, err
	}
	if unknown := unknownCommand(parser.Model, flags.Window.Address, env.Cwd); unknown != nil {
		return nil, false, unknown
	}
	selected, ok := kctx.Selected().Target.Addr().Interface().(command)
	if !ok {
		return nil, false, errors.New("this command does nothing")
	}
	return selected, false, nil
}

// environment reads each flag that was not given from SHOAL_<FLAG>.
func environment(variables map[string]string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if flag.Name == "help" {
			return nil, nil
		}
		name := "SHOAL_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		if value := variables[name]; value != "" {
			return value, nil
		}
		return nil, nil
	})
}

// locate finds settings and data folder.
func (r *run) locate() (err error) {
	if r.env.App != nil {
		r.store = r.env.App.Config()
		r.paths = config.Paths{Config: r.store.Path(), Data: r.env.App.DataDir()}
		return nil
	}
	r.paths, r.store, err = config.Locate(r.flags.Config, r.flags.Data, func(name string) string { return r.env.Variables[name] })
	if err != nil {
		return &core.Error{Code: "badConfig", Message: err.Error(), Err: err}
	}
	return nil
}
