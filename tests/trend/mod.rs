mod cases;
mod confusion;
pub mod generator;
mod sampled;
mod sides;
mod table;
