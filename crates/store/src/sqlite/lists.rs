//! Many rows at once: pages, newest first, by a column that follows the order of commits; and rows by their ids.

use std::collections::HashMap;

use rusqlite::{Params, Row, ToSql};
use uuid::Uuid;

use super::db::{Db, RowExt, json_ids};
use crate::{Cursor, Page, PageRequest, StoreError};

/// What a list is filtered by: one value or several, bound as `?1`, `?2`, …
pub(super) trait Filter {
    fn values(&self) -> Vec<&dyn ToSql>;
}

impl Filter for Uuid {
    fn values(&self) -> Vec<&dyn ToSql> {
        vec![self]
    }
}

impl<A: ToSql, B: ToSql> Filter for (A, B) {
    fn values(&self) -> Vec<&dyn ToSql> {
        vec![&self.0, &self.1]
    }
}

impl<A: ToSql, B: ToSql, C: ToSql, D: ToSql> Filter for (A, B, C, D) {
    fn values(&self) -> Vec<&dyn ToSql> {
        vec![&self.0, &self.1, &self.2, &self.3]
    }
}

/// A page of `sql`, which ends with a condition and selects `order` (less its table's alias) as a column.
pub(super) fn page_of<T>(
    db: &Db<'_>,
    sql: &str,
    order: &str,
    filter: impl Filter,
    page: PageRequest,
    mut map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Page<T>, StoreError> {
    let before = page.cursor.map_or(i64::MAX, |cursor| cursor.position);
    // One more row than wanted tells whether there is a next page.
    let (limit, one_more) = (page.limit(), page.limit() as i64 + 1);
    let mut values = filter.values();
    let (nth_before, nth_limit) = (values.len() + 1, values.len() + 2);
    values.extend([&before as &dyn ToSql, &one_more]);
    let sql = format!("{sql} AND {order} < ?{nth_before} ORDER BY {order} DESC LIMIT ?{nth_limit}");
    let column = order.rsplit('.').next().unwrap_or(order);
    let rows = db.all(&sql, bind(&values), |row| Ok((row.get::<_, i64>(column)?, map(row)?)))?;
    Ok(cut(rows, limit, Cursor::before))
}

fn bind<'v>(values: &'v [&'v dyn ToSql]) -> impl Params + 'v {
    rusqlite::params_from_iter(values.iter().copied())
}

/// Cuts the one row too many off; the cursor of the next page is the position of the last row kept.
pub(super) fn cut<T>(mut rows: Vec<(i64, T)>, limit: usize, cursor: impl Fn(i64) -> Cursor) -> Page<T> {
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| has_more).map(|(position, _)| cursor(*position));
    Page { items: rows.into_iter().map(|(_, row)| row).collect(), next_cursor }
}

/// The rows of these ids that are there, in one statement. `sql` ends with the column that is the id and selects it as
/// `id`.
pub(super) fn by_id<T>(
    db: &Db<'_>,
    sql: &str,
    ids: &[Uuid],
    mut map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<HashMap<Uuid, T>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!("{sql} IN (SELECT unhex(value) FROM json_each(?1))");
    let rows = db.all(&sql, [json_ids(ids.iter().copied())], |row| Ok((row.id("id")?, map(row)?)))?;
    Ok(rows.into_iter().collect())
}
