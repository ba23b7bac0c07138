[(body) (arms) (list) (arguments)] @fold
