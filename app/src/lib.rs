//! What do browser and server share?
