use std::fs;

use super::*;

fn load(flags: &Flags, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    Settings::layer(flags, variables.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())))
}

fn with_file(text: &str, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("parley.toml");
    fs::write(&file, text).unwrap();
    load(&Flags { config: Some(file), ..Flags::default() }, variables)
}

fn origin(settings: &Settings, key: &str) -> Origin {
    settings.list.iter().find(|setting| setting.key == key).unwrap().origin.clone()
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("parley.toml");
    fs::write(&file, "listen = '127.0.0.1:1'\ndata_dir = 'from-file'\nrate_limits = 'off'\n").unwrap();
    let flags = Flags { listen: Some("127.0.0.1:3".parse().unwrap()), config: Some(file.clone()), ..Flags::default() };
    let settings = load(&flags, &[("LISTEN", "127.0.0.1:2"), ("DATA_DIR", "from-env")]).unwrap();
    assert_eq!(settings.config.listen.port(), 3);
    assert_eq!(settings.config.data_dir, PathBuf::from("from-env"));
    assert_eq!(settings.config.rate_limits, Switch::Off);
    assert_eq!(origin(&settings, "listen"), Origin::Flag);
    assert_eq!(origin(&settings, "data_dir"), Origin::Environment);
    assert_eq!(origin(&settings, "rate_limits"), Origin::File(file));
    assert_eq!(origin(&settings, "tls_cert"), Origin::Default);
}

#[test]
fn every_setting_is_listed_with_where_it_came_from() {
    let settings = load(&Flags::default(), &[]).unwrap();
    for key in known_keys() {
        let is_listed = settings.list.iter().any(|setting| setting.key == *key);
        assert!(is_listed || key.ends_with("_file") || *key == "config", "{key}");
    }
}

#[test]
fn variables_are_texts_even_if_they_look_like_numbers() {
    let digits = "12345678901234567890123456789012";
    let settings = load(
        &Flags::default(),
        &[("AGORA_APP_ID", digits), ("AGORA_APP_CERTIFICATE", "1e5"), ("METRICS_TOKEN", "true")],
    )
    .unwrap();
    let (id, certificate) = settings.config.agora.unwrap();
    assert_eq!((id.expose(), certificate.expose()), (digits, "1e5"));
    assert_eq!(settings.config.metrics_token.unwrap().expose(), "true");
}

#[test]
fn lists_come_with_commas_from_the_environment_and_as_lists_from_the_file() {
    let settings =
        with_file("trusted_proxies = ['10.0.0.0/8', '::1']", &[("ALLOWED_ORIGINS", "https://a.test, https://b.test")])
            .unwrap();
    assert_eq!(joined(&settings.config.trusted_proxies), "10.0.0.0/8, ::1/128");
    assert_eq!(settings.config.allowed_origins, ["https://a.test", "https://b.test"]);
}

#[test]
fn an_empty_variable_is_not_set() {
    let settings = load(&Flags::default(), &[("LISTEN", ""), ("AGORA_APP_ID", "")]).unwrap();
    assert_eq!(origin(&settings, "listen"), Origin::Default);
    assert!(settings.config.agora.is_none());
}

#[test]
fn each_error_names_its_place() {
    let table = [
        (load(&Flags::default(), &[("LISTEN", "nowhere")]), "PARLEY_LISTEN can't be used"),
        (load(&Flags::default(), &[("RATE_LIMITS", "maybe")]), "PARLEY_RATE_LIMITS can't be used"),
        (load(&Flags::default(), &[("TRUSTED_PROXIES", "10.0.0.0/8,proxy")]), "\"proxy\" is neither an IP address"),
        (load(&Flags::default(), &[("AGORA_APP_ID", "x")]), "AGORA_APP_ID is set, but AGORA_APP_CERTIFICATE is not"),
        (load(&Flags::default(), &[("TLS_KEY", "x")]), "PARLEY_TLS_KEY is set, but tls_cert is not"),
        (load(&Flags::default(), &[("ALLOWED_ORIGINS", "https://a.test,*")]), "PARLEY_ALLOWED_ORIGINS: an allowed"),
        (load(&Flags::default(), &[("METRICS_TOKEN_FILE", "/nonexistent/t")]), "PARLEY_METRICS_TOKEN_FILE names /non"),
        (with_file("listen = 8750", &[]), "`listen` in "),
        (with_file("lisen = '127.0.0.1:1'", &[]), "unknown setting `lisen`"),
        (with_file("config = 'other.toml'", &[]), "unknown setting `config`"),
        (with_file("metrics_token = 'a'\nmetrics_token_file = 'b'", &[]), "metrics_token and metrics_token_file"),
    ];
    for (outcome, words) in table {
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let flags = Flags { config: Some("/nonexistent/parley.toml".into()), ..Flags::default() };
    assert!(load(&flags, &[]).unwrap_err().to_string().contains("/nonexistent/parley.toml"));
}

#[test]
fn no_error_shows_a_secret() {
    for text in ["metrics_token = 123454321", "metrics_token = \"123454321", "metrics_token = ['123454321']"] {
        let error = with_file(text, &[]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("123454321"), "{error:?}");
    }
    let settings = load(&Flags::default(), &[("METRICS_TOKEN", "123454321")]).unwrap();
    assert!(!format!("{settings:?}").contains("123454321"));
}

#[test]
fn a_secret_comes_from_the_first_line_of_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, "hush\r\nnot this\n").unwrap();
    let path = file.to_str().unwrap();
    let settings = load(&Flags::default(), &[("METRICS_TOKEN_FILE", path)]).unwrap();
    assert_eq!(settings.config.metrics_token.unwrap().expose(), "hush");
    fs::write(&file, "\n").unwrap();
    assert!(matches!(load(&Flags::default(), &[("METRICS_TOKEN_FILE", path)]), Err(ConfigError::EmptySecret { .. })));
}

#[cfg(unix)]
#[test]
fn a_secret_that_everybody_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, "hush\n").unwrap();
    for (mode, warnings) in [(0o644, 1), (0o640, 0), (0o600, 0)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let settings = load(&Flags::default(), &[("METRICS_TOKEN_FILE", file.to_str().unwrap())]).unwrap();
        assert_eq!(settings.warnings.len(), warnings, "{mode:o}");
    }
}

#[test]
fn a_secret_of_a_higher_layer_wins_over_the_file_of_a_lower_one() {
    let settings = with_file("metrics_token_file = '/nonexistent/token'", &[("METRICS_TOKEN", "hush")]).unwrap();
    assert_eq!(settings.config.metrics_token.unwrap().expose(), "hush");
}
