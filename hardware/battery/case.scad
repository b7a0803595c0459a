// Button kiosk, battery: made from board.toml by `make hardware`; change it there.
part = "whole";
shape = "buttons";
width = 324;
height = 172;
depth_top = 46;
tilt = 25;
wall = 3;
split = true;
window = [84.8, 63.6];
window_up = 132;
buttons = 5;
pitch = 60;
cap = 45;
hole = 28;
buttons_up = 54;
cable_hole = 0;
board_size = [65, 23, 12];
battery_size = [40, 72, 22];

include <../case/kiosk.scad>
