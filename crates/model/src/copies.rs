//! Which copies of a Job are there?
//!
//! The product of the grid's lists in the order of the names, the last name varying fastest.

use std::collections::BTreeMap;

use crate::kind::Grid;

/// How many copies the grid makes. None when it is more than can be counted.
pub fn count(grid: &Grid) -> Option<u32> {
    let product = grid.values().try_fold(1u64, |product, values| product.checked_mul(values.len() as u64));
    product.and_then(|product| u32::try_from(product).ok())
}

/// The values of one copy, from 0; none when there is no such copy.
pub fn values(grid: &Grid, copy: u32) -> Option<BTreeMap<String, String>> {
    let mut rest = copy as usize;
    let mut chosen = BTreeMap::new();
    for (name, values) in grid.iter().rev() {
        chosen.insert(name.clone(), values.get(rest.checked_rem(values.len())?)?.clone());
        rest /= values.len();
    }
    (rest == 0).then_some(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(lists: &[(&str, &[&str])]) -> Grid {
        lists.iter().map(|(name, values)| ((*name).into(), values.iter().map(|v| (*v).into()).collect())).collect()
    }

    #[test]
    fn copies_are_the_product_of_the_lists_and_the_last_name_varies_fastest() {
        let grid = grid(&[("LR", &["0.1", "0.2"]), ("SEED", &["1", "2", "3"])]);
        assert_eq!(count(&grid), Some(6));
        let all: Vec<String> = (0..6)
            .filter_map(|copy| values(&grid, copy))
            .map(|v| v.into_values().collect::<Vec<_>>().join("/"))
            .collect();
        assert_eq!(all, ["0.1/1", "0.1/2", "0.1/3", "0.2/1", "0.2/2", "0.2/3"]);
        assert_eq!(values(&grid, 6), None);
    }

    #[test]
    fn a_list_without_values_makes_no_copy_and_a_huge_grid_is_not_counted() {
        assert_eq!(count(&grid(&[("LR", &[])])), Some(0));
        assert_eq!(values(&grid(&[("LR", &[])]), 0), None);
        let many = vec!["x"; 1000];
        assert_eq!(count(&grid(&[("A", &many), ("B", &many), ("C", &many), ("D", &many)])), None);
    }
}
