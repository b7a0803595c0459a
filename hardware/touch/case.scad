// Touch kiosk: made from board.toml by `make hardware`; change it there.
part = "whole";
shape = "touch";
width = 134;
height = 104;
depth_top = 42;
tilt = 35;
wall = 3;
split = false;
window = [84.0, 56.4];
window_up = 63;
buttons = 0;
pitch = 0;
cap = 0;
hole = 0;
buttons_up = 0;
cable_hole = 22;
board_size = [74, 26, 20];
battery_size = [];

include <../case/kiosk.scad>
