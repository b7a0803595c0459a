// Button kiosk, PoE: made from board.toml by `make hardware`; change it there.
part = "whole";
shape = "buttons";
width = 324;
height = 172;
depth_top = 42;
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
cable_hole = 22;
board_size = [98, 28, 22];
battery_size = [];

include <../case/kiosk.scad>
