// The case of every kiosk: a wedge on the wall with a tilted front plate. All sizes come from the file that includes this
// one (made from board.toml); nothing here is a number that a person who buys other buttons would have to change.
// Millimetres. y grows from the wall into the room, z upwards. The front plate has coordinates of its own, as a visitor
// sees it: u to the right, v upwards along the plate, w out of it.
//
// part: "front", "body", "left", "right" for printing, "cut" the front's outline for a laser or a mill, "whole" and "exploded" for pictures.

$fn = 48;
plate = 3;          // front plate
ledge = 9;          // what it lies on, all round
seat = 7;           // thickness of that ledge: holds an M3 x 5 insert
insert = 4.0;       // hole for a heat-set insert M3
screw = 3.4;        // M3, free
slack = 0.3;        // around the plate
e = 0.01;

front_length = height / cos(tilt);
depth_bottom = depth_top + height * tan(tilt);
columns = split ? 4 : 2;
body_colour = "#dfe3e6";
plate_colour = "#3f6f9e";

module on_front() {
    multmatrix([[-1, 0, 0, width], [0, -sin(tilt), cos(tilt), depth_bottom], [0, cos(tilt), sin(tilt), 0], [0, 0, 0, 1]])
        children();
}

module along_x(length) {
    rotate([90, 0, 90]) linear_extrude(length) children();
}

module outline() {
    polygon([[0, 0], [depth_bottom, 0], [depth_top, height], [0, height]]);
}

module hollow(more = 0) {
    in = wall + more;
    front = (plate + seat + more) / cos(tilt);
    polygon([
        [in, in],
        [depth_bottom - front - in * tan(tilt), in],
        [depth_bottom - front - (height - in) * tan(tilt), height - in],
        [in, height - in],
    ]);
}

module at_screws() {
    for (column = [0 : columns - 1], row = [0, 1])
        translate([wall + ledge / 2 + column * (width - 2 * wall - ledge) / (columns - 1),
                   wall + ledge / 2 + row * (front_length - 2 * wall - ledge), 0]) children();
}

module body() {
    difference() {
        union() {
            difference() {
                along_x(width) outline();
                translate([wall, 0, 0]) along_x(width - 2 * wall) hollow();
            }
            if (split) // the flange by which the halves are screwed together
                translate([width / 2 - 5, 0, 0]) along_x(10) difference() {
                    hollow(-1);
                    hollow(11);
                }
        }
        // pocket for the plate, and the opening behind it
        on_front() translate([wall - slack, wall - slack, -plate])
            cube([width - 2 * wall + 2 * slack, front_length - 2 * wall + 2 * slack, plate + 20]);
        on_front() translate([wall + ledge, wall + ledge, -plate - seat - 1])
            cube([width - 2 * (wall + ledge), front_length - 2 * (wall + ledge), seat + 20]);
        on_front() at_screws() translate([0, 0, -plate - 6]) cylinder(d = insert, h = 10);
        // to the wall: four screws, from inside, before the front is closed
        for (x = [width * 0.15, width * 0.85], z = [26, height - 26])
            translate([x, -e, z]) rotate([-90, 0, 0]) cylinder(d = 5, h = wall + 1);
        if (cable_hole > 0)
            translate([width * 0.28, -e, 40]) rotate([-90, 0, 0]) cylinder(d = cable_hole, h = wall + 1);
        // the label, on the side at the visitor's right
        translate([-e, depth_top / 2 - 29 / 2 + 8, 14]) cube([0.4 + e, 29, 62]);
        if (split)
            for (point = [[wall + 6, height / 2], [depth_bottom / 2, wall + 6], [depth_top / 2 - 4, height - wall - 5]])
                translate([width / 2 - 10, point[0], point[1]]) rotate([0, 90, 0]) cylinder(d = screw, h = 20);
    }
}

module half(right) {
    intersection() {
        body();
        translate([right ? -1 : width / 2, -1, -1]) cube([width / 2 + (right ? 1 : 1), 1000, 1000]);
    }
}

module button_places() {
    if (buttons > 0)
        for (number = [0 : buttons - 1])
            translate([width / 2 + (number - (buttons - 1) / 2) * pitch, buttons_up, 0]) {
                $number = number;
                children();
            }
}

module front() {
    difference() {
        translate([wall, wall, -plate]) cube([width - 2 * wall, front_length - 2 * wall, plate]);
        // the window, its edge broken so that a cloth glides over it
        translate([width / 2, window_up, 0]) hull() {
            translate([0, 0, -plate - 1]) cube([window[0], window[1], 0.1], center = true);
            translate([0, 0, -1.5]) cube([window[0], window[1], 0.1], center = true);
            translate([0, 0, 0.1]) cube([window[0] + 3.4, window[1] + 3.4, 0.1], center = true);
        }
        button_places() translate([0, 0, -plate - 1]) cylinder(d = hole, h = plate + 2);
        at_screws() {
            translate([0, 0, -plate - 1]) cylinder(d = screw, h = plate + 2);
            translate([0, 0, -1.7]) cylinder(d1 = screw, d2 = 6.6, h = 1.8);
        }
        // the piezo's sound
        translate([width - wall - ledge - 14, front_length - wall - ledge - 12, -plate - 1])
            for (angle = [0 : 60 : 300]) rotate(angle) translate([4, 0, 0]) cylinder(d = 2, h = plate + 2);
    }
    // one to five raised dots under the buttons: the answer's number, for fingers
    button_places()
        for (dot = [0 : $number])
            translate([(dot - $number / 2) * 7, -cap / 2 - 9, -e]) cylinder(d1 = 4.4, d2 = 2.4, h = 1.1, $fn = 20);
}

// ---- for pictures only ----

faces = ["#2f9e5b", "#8fc04a", "#f0c63a", "#ec8f3b", "#d5493f"];

module face(mood) { // 1 smiles, -1 frowns
    for (x = [-7, 7]) translate([x, 6, 0]) cylinder(d = 4.4, h = 0.8);
    points = [for (step = [-8 : 8]) [step * 1.35, -7 + mood * (step * step * 0.085 - 2.7)]];
    for (i = [0 : len(points) - 2]) hull() {
        translate(points[i]) cylinder(d = 2.6, h = 0.8, $fn = 12);
        translate(points[i + 1]) cylinder(d = 2.6, h = 0.8, $fn = 12);
    }
}

module button(number) {
    color("#31363b") translate([0, 0, -34]) cylinder(d = hole - 3, h = 34);
    color("#31363b") cylinder(d = cap + 5, h = 3);
    color(faces[number]) translate([0, 0, 3]) cylinder(d1 = cap, d2 = cap - 4, h = 6);
    color("#1c1f22") translate([0, 0, 9]) face(1 - number * 0.5);
}

module screen() {
    if (shape == "touch") {
        color("#101418") translate([width / 2, window_up, -plate - 3]) cube([window[0] + 24, window[1] + 8, 6], center = true);
        color("#f7f9fb") translate([width / 2, window_up, -plate + 0.2]) cube([window[0], window[1], 0.5], center = true);
        for (i = [0 : 4])
            translate([width / 2 + (i - 2) * window[0] / 5.4, window_up - 6, -plate + 0.4]) {
                color(faces[i]) cylinder(d = 13, h = 0.5);
                color("#1c1f22") translate([0, 0, 0.5]) scale([0.3, 0.3, 0.3]) face(1 - i * 0.5);
            }
        color("#3f6f9e") translate([width / 2, window_up + 15, -plate + 0.4]) cube([window[0] * 0.7, 3.4, 0.6], center = true);
    } else {
        color("#2b6a4d") translate([width / 2, window_up, -plate - 3]) cube([103, 78.5, 3], center = true);
        color("#eceae2") translate([width / 2, window_up, -plate - 0.8]) cube([90.1, 77, 1.2], center = true);
        for (line = [0 : 2])
            color("#2a2a2a") translate([width / 2, window_up + 16 - line * 11, -plate]) cube([60 - line * 12, 4, 0.6], center = true);
    }
}

module inside() {
    color("#2b6a4d") translate([width * 0.34, wall + 6, height * 0.34]) rotate([0, 90, 0]) translate([-board_size[1], 0, -board_size[0] / 2])
        cube([board_size[1], 4, board_size[0]]);
    color("#b98d4f") translate([width * 0.7, wall + 6, height * 0.30]) cube(split ? [70, 3, 50] : [34, 3, 44], center = false);
    if (len(battery_size) > 0)
        color("#3b6ea8") translate([width * 0.52, wall + 2, height * 0.22]) cube([battery_size[1], battery_size[2], battery_size[0]]);
}

module label() {
    color("#fffbe8") translate([0, depth_top / 2 - 29 / 2 + 8.5, 14.5]) translate([-0.1, 0, 0]) cube([0.4, 28, 61]);
    color("#33383d") for (i = [0 : 3], j = [0 : 3]) if ((i * 3 + j * 5 + i * j) % 3 > 0)
        translate([-0.2, depth_top / 2 - 29 / 2 + 12 + i * 5, 48 + j * 5]) cube([0.3, 5, 5]);
}

module whole() {
    color(body_colour) body();
    color(plate_colour) on_front() front();
    label();
    on_front() screen();
    on_front() button_places() button($number);
}

module exploded() {
    color(body_colour) body();
    translate([0, depth_bottom + 10, 0]) inside();
    label();
    on_front() translate([0, 0, split ? 150 : 105]) screen();
    color(plate_colour) on_front() translate([0, 0, split ? 330 : 190]) front();
    on_front() translate([0, 0, 430]) button_places() button($number);
}

if (part == "front") translate([0, 0, plate]) front();
if (part == "cut") projection(cut = true) translate([0, 0, 1.6]) front();
if (part == "body") body();
if (part == "left") half(false);
if (part == "right") half(true);
if (part == "whole") whole();
if (part == "exploded") exploded();
