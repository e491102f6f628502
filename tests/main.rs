//! One test program: each part of the surface is a module.

mod writers;
