mod cases;
mod confusion;
mod generator;
mod sampled;
mod table;
