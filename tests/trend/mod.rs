mod cases;
mod confusion;
mod generator;
mod sampled;
mod sides;
mod table;
