"""`segnet-hpu dataset COMMAND`: what is done to a whole data set. Each writes a new folder, a file or a report."""

COMMANDS = {
    "split": "part two folders into training and validation pairs, by seed",
    "convert": "bring a named data set into keras_segmentation's folders, or these into a named layout",
    "stats": "class shares, class weights and image sizes",
    "augment": "write augmented copies of every pair to disk",
    "inspect": "look at any folder and write the description by which it is a data set",
}
