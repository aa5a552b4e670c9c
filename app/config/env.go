// SPDX-License-Identifier: AGPL-3.0-or-later

package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"
)

// EnvName returns the environment variable of a dotted key: SHOAL_NETWORK_TORRENT_PORT for
// network.torrentPort.
func EnvName(key string) string {
	var b strings.Builder
	b.WriteString("SHOAL_")
	lower := false
	for _, r := range key {
		if r == '.' {
			b.WriteByte('_')
			lower = false
			continue
		}
		if unicode.IsUpper(r) && lower {
			b.WriteByte('_')
		}
		lower = unicode.IsLower(r)
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

// applyEnv sets every plain key whose environment variable is not empty.
func applyEnv(cfg *Config, getenv func(string) string) error {
	return applyEnvTo(reflect.ValueOf(cfg).Elem(), "", getenv)
}

func applyEnvTo(v reflect.Value, prefix string, getenv func(string) string) error {
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("toml"), ",")
		key, field := prefix+name, v.Field(i)
		if field.Kind() == reflect.Struct {
			if err := applyEnvTo(field, key+".", getenv); err != nil {
				return err
			}
			continue
		}
		text := getenv(EnvName(key))
		if text == "" {
			continue
		}
		if err := setField(field, text); err != nil {
			return fmt.Errorf("environment %s=%q: %w", EnvName(key), text, err)
		}
	}
	return nil
}

func setField(field reflect.Value, text string) error {
	switch field.Kind() {
	case reflect.String:
		field.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("this setting is a switch: write true or false")
		}
		field.SetBool(b)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("this setting is a number: write digits only")
		}
		field.SetInt(n)
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("this setting is a number: write one such as 1.5")
		}
		field.SetFloat(n)
	case reflect.Slice:
		if field.Type().Elem().Kind() == reflect.String {
			field.Set(reflect.ValueOf(strings.Split(text, ",")))
			return nil
		}
		return fmt.Errorf("this setting can only be set in the file")
	default:
		return fmt.Errorf("this setting can only be set in the file")
	}
	return nil
}
