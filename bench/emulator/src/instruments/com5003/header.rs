//! One command: header nodes, query mark, parameter.

use super::Fault;

/// A parsed command. Nodes are upper case; a parameter counts only once its `;` has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header<'a> {
    path: String,
    query: bool,
    parameter: Option<&'a str>,
}

impl<'a> Header<'a> {
    pub(super) fn parse(command: &'a str) -> Result<Self, Fault> {
        let (path, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        let (path, query) = path.strip_suffix('?').map_or((path, false), |path| (path, true));
        let path = path.trim_start_matches(':').to_ascii_uppercase();
        let parameter = match (rest, query) {
            ("", _) => None,
            // Some queries take parameters on the real instrument; none of those is emulated.
            (_, true) => return Err(Fault::Command),
            (rest, false) => {
                let value = rest.strip_suffix(';').ok_or(Fault::Command)?;
                if value.contains(';') {
                    return Err(Fault::Command);
                }
                Some(value.trim())
            }
        };
        if path.is_empty() || path.ends_with(';') {
            return Err(Fault::Command);
        }
        Ok(Self { path, query, parameter })
    }

    pub(super) fn nodes(&self) -> Vec<&str> {
        self.path.split(':').collect()
    }

    pub(super) fn is_query(&self) -> bool {
        self.query
    }

    pub(super) fn is_common(&self) -> bool {
        self.path.starts_with('*')
    }

    pub(super) fn common_name(&self) -> &str {
        &self.path
    }

    /// `None` for a query, the parameter for a setting; a setting without one is an error.
    pub(super) fn parameter(&self) -> Result<Option<&'a str>, Fault> {
        match (self.query, self.parameter) {
            (true, _) => Ok(None),
            (false, Some(value)) => Ok(Some(value)),
            (false, None) => Err(Fault::Command),
        }
    }

    /// As [`parameter`](Self::parameter), as a number within bounds.
    pub(super) fn number(&self, least: f64, most: f64) -> Result<Option<f64>, Fault> {
        let Some(text) = self.parameter()? else { return Ok(None) };
        let value = text.parse().ok().filter(|v: &f64| (least..=most).contains(v));
        value.map(Some).ok_or(Fault::NumericData)
    }
}
